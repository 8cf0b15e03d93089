"""One push over HTTP: commands checked before git starts, policy inside its quarantine, the answer after the rows.

The client hears "ok" only when refs, Push row and event are durable. Once the policy said yes, git is left to finish
whatever happens to the client or to this process; publishing.reconcile() settles what nobody settled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from django.conf import settings

from hub.lib.errors import HubError, Invalid
from hub.lib.failures import as_expected
from hub.lib.streams import ClientGone, in_thread
from repos import gitstreams, policy, publishing
from repos.git import commands, pkt
from repos.git.store import ZERO, Quarantine, RefChange
from repos.git.transfer import GRACE_SECONDS, Transfer
from repos.models import Push
from repos.storage import store
from repos.surface import Call

logger = logging.getLogger("covey.push")
pushes = gitstreams.Slots(settings.GIT_PUSHES)
RESULT = "application/x-git-receive-pack-result"
OTHER_REFUSED = "another ref of this push is refused"
PACK_HEADER_BYTES = 12  # "PACK", version, number of objects
SLACK_BYTES = 64 * 1024**2  # above git's own limit on the pack, so that git's clear message comes first


async def receive_pack(call: Call) -> None:
    gitstreams.require_type(call.request, "application/x-git-receive-pack-request")
    path = await in_thread(store().open_for_write, call.repository.pk)
    body = call.request.inflated_body(limit_bytes=settings.GIT_MAX_PUSH_BYTES + SLACK_BYTES)
    parser = pkt.PushParser(max_commands=settings.GIT_MAX_REF_COMMANDS)
    try:
        await read_head(parser, body)
    except pkt.TooManyCommands as error:
        most = f"A push may change {settings.GIT_MAX_REF_COMMANDS:,} refs here."
        return await answer(call, pkt.refusal(error.request, most, {}, say=f"{most} Push them in several steps."))
    except pkt.BadRequest as error:
        raise gitstreams.not_git(error) from error
    request = parser.request
    if not request.changes:  # the empty probe that git sends before a large body
        return await answer(call, b"")
    if request.impossible:
        say = "Rename the ref that is refused, then push again: git branch -m OLD NEW."
        return await answer(call, pkt.refusal(request, OTHER_REFUSED, request.impossible, say=say))
    if not request.only_deletes and pack_is_empty(parser.rest):
        unknown = await in_thread(missing, path, request.changes)
        if unknown:
            reasons = dict.fromkeys(unknown, "its object is neither here nor in the push")
            return await answer(call, pkt.refusal(request, OTHER_REFUSED, reasons))
    env = gitstreams.environment("")
    call.request.confirm = None  # the policy asks the gate again, and git can say what it answers
    async with pushes.take(), Transfer("receive-pack", "--stateless-rpc", str(path), env=env, channel=True) as git:
        await Receiving(call, git, path, parser).run(body)


async def read_head(parser: pkt.PushParser, body: AsyncIterator[bytes]) -> None:
    """Feed the parser until the commands and the pack's header are there, or the body ends. Raises BadRequest."""
    async for piece in body:
        if parser.feed(piece) and len(parser.rest) >= PACK_HEADER_BYTES:
            return
    if not parser.done:
        raise pkt.BadRequest("the push ends inside its list of refs")


def pack_is_empty(start: bytes) -> bool:
    return len(start) < PACK_HEADER_BYTES or (start[:4] == b"PACK" and start[8:12] == b"\0\0\0\0")


def missing(path: Path, changes: tuple[RefChange, ...]) -> set[str]:
    """The refs whose new object the repository does not have; one process for all of them."""
    wanted = [change for change in changes if change.new != ZERO]
    out = commands.run(path, "cat-file", "--batch-check", stdin="".join(f"{c.new}\n" for c in wanted).encode())
    answers = out.decode().splitlines()
    return {change.ref for change, found in zip(wanted, answers, strict=True) if found.endswith(" missing")}


async def answer(call: Call, body: bytes) -> None:
    await call.request.respond(200, body, [("content-type", RESULT), *gitstreams.NO_CACHE])


class Receiving:
    """A push whose git is running: the body goes in, progress comes out at once, the report is held back."""

    def __init__(self, call: Call, git: Transfer, path: Path, parser: pkt.PushParser) -> None:
        self.call, self.git, self.path, self.parser = call, git, path, parser
        self.request = parser.request
        self.report = bytearray()
        self.push: Push | None = None
        self.failure: HubError | ClientGone | None = None
        self.feeding: asyncio.Task[None]

    async def run(self, body: AsyncIterator[bytes]) -> None:
        self.feeding, asking = asyncio.create_task(self.feed(body)), asyncio.create_task(self.answer_hook())
        try:
            await self.relay()
            await self.git.wait()
            await asking
            if self.push:
                await self.write_down(self.push)
            elif self.failure:
                raise self.failure
            await self.send_report()
        finally:
            self.feeding.cancel()
            asking.cancel()
            await asyncio.gather(self.feeding, asking, return_exceptions=True)

    async def feed(self, body: AsyncIterator[bytes]) -> None:
        """The body into git; then watch whether the client stays. git ends by itself when its input ends early."""
        try:
            await self.git.stdin.write(self.parser.head)
            async for piece in body:
                await self.git.stdin.write(piece)
        except BrokenPipeError:
            return  # git has seen enough; its report says why
        except (HubError, ClientGone) as error:
            self.give_up(error)
            return
        finally:
            self.git.stdin.close()
        await self.call.request.watch().wait()
        self.give_up(ClientGone())

    def give_up(self, failure: HubError | ClientGone) -> None:
        """Nobody waits for this push any more: no verdict is given, and a git that computes on is stopped."""
        self.failure = failure
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self.git.stop)

    async def answer_hook(self) -> None:
        """When git's pre-receive hook asks, let the policy decide and tell the hook."""
        question = bytearray()
        while not question.endswith(b"\ndone\n"):
            piece = await self.git.asked.read()
            if not piece:
                return  # git refused the push itself and never asked
            question += piece
        folder, *lines = question.decode().splitlines()[:-1]
        quarantine = Quarantine(self.path, Path(folder)) if folder else None
        changes = [RefChange(ref, old, new) for old, new, ref in (line.split(" ", 2) for line in lines)]
        verdict = await self.verdict(changes, quarantine)
        try:
            await self.git.answer.write(verdict.encode())
        except BrokenPipeError:
            logger.warning("push to repository %s: git ended before the verdict", self.call.repository.pk)

    async def verdict(self, changes: list[RefChange], quarantine: Quarantine | None) -> str:
        """What the hook is told: lines for the person, then accept or refuse."""
        call = self.call
        kept = self.kept(changes)
        try:
            self.push = await in_thread(
                publishing.judge, call.repository, call.actor, kept, quarantine=quarantine, via="git"
            )
        except HubError as error:
            said = [*error.message.splitlines(), *error.details.splitlines()]
        except Exception as error:
            # The hook waits for a verdict: whatever went wrong here, git must hear a refusal, and the person a reason.
            if expected := as_expected(error):
                said = [expected.message, expected.details]
            else:
                logger.exception("push to repository %s", call.repository.pk)
                said = [f"The hub failed. Its log tells why, under {call.request.request_id}."]
        else:
            if not self.failure:
                self.git.keep = True  # from here on git finishes, whoever leaves
                return f"{self.left_out(len(changes) - len(kept))}accept\n"
            said = []
        return "".join(f"say {line}\n" for line in said) + "refuse\n"

    def kept(self, changes: list[RefChange]) -> list[RefChange]:
        """Without the refs that git itself refuses, one by one: a mirror of another host brings its refs/pull along,
        and its branches and tags need not stay out for that. All, where all or none is asked for."""
        if "atomic" in self.request.capabilities:
            return changes
        return [change for change in changes if not policy.is_hidden(change.ref)] or changes

    @staticmethod
    def left_out(count: int) -> str:
        """The line of a verdict that says why this many refs are refused while the others are taken."""
        return f"say {count:,} of these refs cannot be written here. {policy.WRITABLE}\n" if count else ""

    async def relay(self) -> None:
        """git's output until its end: progress goes out at once, the report is kept."""
        splitter = pkt.Splitter()
        while piece := await gitstreams.patiently(self.git.stdout.read()):
            if not self.request.side_band:
                self.report += piece
                continue
            splitter.feed(piece)
            while (packet := splitter.take()) is not None:
                if isinstance(packet, pkt.Special):
                    continue  # the final flush is ours to send
                if packet[:1] == b"\x01" and len(packet) > 1:
                    self.report += packet[1:]
                else:
                    await self.forward(pkt.line(packet))

    async def forward(self, data: bytes) -> None:
        if self.failure:
            return
        try:
            if not self.call.request.started:
                await self.call.request.start(200, [("content-type", RESULT), *gitstreams.NO_CACHE])
            await self.call.request.write(data)
        except ClientGone as gone:
            self.give_up(gone)
            self.feeding.cancel()

    async def write_down(self, push: Push) -> None:
        """Settle the push. Git has it already: a database that goes away now only delays what the pages show."""
        try:
            await in_thread(self.settle, push)
        except Exception as error:
            expected = as_expected(error)
            if expected is None:
                raise
            said = f"{expected.message} Git has your push; the hub's pages show it some minutes later."
            if self.request.side_band:
                await self.forward(pkt.sideband(2, f"{said}\n".encode()))

    def settle(self, push: Push) -> None:
        applied = pkt.applied_refs(bytes(self.report))
        if applied is None:
            publishing.reconcile(push)  # git was killed or the client wanted no report
        else:
            publishing.settle(push, applied)

    async def send_report(self) -> None:
        if not self.report and not self.call.request.started and "report-status" in self.request.capabilities:
            raise Invalid("git could not read this push.", details="Try again; the repository is unchanged.")
        report = bytes(self.report)
        await self.forward(pkt.sideband(1, report) + pkt.FLUSH if self.request.side_band else report)
        if self.failure:
            raise self.failure
        await self.call.request.finish()
