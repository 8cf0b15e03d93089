"""Every setting, read once from the environment. The README's table lists each COVEY variable (a test compares)."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hub import bind, env

BASE_DIR = Path(__file__).resolve().parent.parent

# ---- where things live -------------------------------------------------------------------------
COVEY_HOME = env.home(Path(env.text("COVEY_HOME", "data")).absolute())
GIT_ROOT = COVEY_HOME / "git"
TMP_ROOT = COVEY_HOME / "tmp"

# Production is what names a database server; the embedded default needs nothing set.
PRODUCTION = bool(env.text("DATABASE_URL")) and not env.text("DATABASE_URL").startswith("sqlite")


def required(name: str, why: str) -> str:
    value = env.text(name)
    if PRODUCTION and not value:
        raise env.SettingError(name, "is not set but DATABASE_URL is", why)
    return value


# ---- who we are --------------------------------------------------------------------------------
SECRET_KEY = required("SECRET_KEY", "Set it to at least 50 random characters.") or env.secret_file(
    COVEY_HOME / "secret_key"
)
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10:
    raise env.SettingError("SECRET_KEY", "is short or not random", "Set it to at least 50 random characters.")
DEBUG = False
if env.boolean("DEBUG"):
    raise env.SettingError("DEBUG", "is on", "Covey has no debug mode: it would show secrets to strangers. Unset it.")
# `covey up` and `covey serve` set it to what they took and note it, so that `covey admin` prints the same links.
COVEY_BIND = env.text("COVEY_BIND") or env.note(COVEY_HOME / "bound") or "127.0.0.1:8000"
required("COVEY_URL", "Set it to the address people open, e.g. https://hub.example.org.")
COVEY_URL = env.origin("COVEY_URL", bind.browser_url(COVEY_BIND))
_url = urlsplit(COVEY_URL)
HTTPS = _url.scheme == "https"
RAW_HOST = env.text("RAW_HOST")  # files of users are served from there: another origin without any cookie
if RAW_HOST and (not re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", RAW_HOST) or _url.netloc == RAW_HOST):
    raise env.SettingError("RAW_HOST", f"is {RAW_HOST!r}", "Set it to HOST or HOST:PORT, other than that of COVEY_URL.")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or [str(_url.hostname), "127.0.0.1", "localhost", "[::1]"]
if any("*" in host for host in ALLOWED_HOSTS):
    raise env.SettingError("ALLOWED_HOSTS", "holds '*'", "List the host names that reach this hub.")
if RAW_HOST:
    ALLOWED_HOSTS.append(RAW_HOST.rsplit(":", 1)[0])
CSRF_TRUSTED_ORIGINS = [COVEY_URL]
CSRF_FAILURE_VIEW = "hub.lib.failures.csrf_failure"
COVEY_PROXIES = env.networks("COVEY_PROXIES")  # reverse proxies whose X-Forwarded-For is believed
OUTBOUND_ALLOW = env.endpoints("OUTBOUND_ALLOW")  # (network, port) that requests of ours may reach inside the intranet

# ---- applications ------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "hub.static.StaticFiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "hub.jobs.apps.JobsConfig",
    "hub.accounts.apps.AccountsConfig",
    "repos.apps.ReposConfig",
    "repos.statuses.apps.StatusesConfig",
    "repos.attachments.apps.AttachmentsConfig",
    "repos.issues.apps.IssuesConfig",
    "repos.pulls.apps.PullsConfig",
    "repos.protection.apps.ProtectionConfig",
    "repos.pulls.conflicts.apps.ConflictsConfig",
    "repos.reviews.apps.ReviewsConfig",
    "repos.forks.apps.ForksConfig",
    "datasets.apps.DatasetsConfig",
    "experiments.apps.ExperimentsConfig",
    "hub.apps.HubConfig",
]
MIDDLEWARE = [
    "hub.lib.middleware.RequestId",
    "hub.lib.middleware.Streams",
    "hub.lib.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hub.lib.middleware.CompressedText",  # below: static files were compressed when they were collected
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "hub.accounts.middleware.ActorMiddleware",
    "hub.lib.failures.Errors",
]
ROOT_URLCONF = "hub.urls"
ASGI_APPLICATION = "hub.asgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "frontend" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hub.context.hub",
            ],
            "builtins": ["hub.templatetags.covey"],
        },
    }
]

# ---- database ----------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{COVEY_HOME / 'covey.sqlite3'}")
env.sqlite_file("DATABASE_URL", DATABASE_URL)
DATABASES = {"default": env.database("DATABASE_URL", DATABASE_URL)}
_db = DATABASES["default"]
SQLITE = _db["ENGINE"] == "django.db.backends.sqlite3"
if SQLITE:
    # IMMEDIATE: a writer waits for its turn at BEGIN instead of failing in the middle of a transaction.
    _db["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4000;",
    }
    # To open the file costs more than most queries, and the last to close it empties the log; the threads are few.
    _db["CONN_MAX_AGE"] = None
    # Tests use a file too: threads share a database in memory by rules of its own, without waiting for locks.
    _db["TEST"] = {"NAME": COVEY_HOME / "test.sqlite3"}
elif _db["ENGINE"] == "django.db.backends.postgresql":
    from hub.lib import postgresql  # here, since psycopg is not imported for nothing

    _db["OPTIONS"] = {
        **postgresql.CONNECTING,
        **_db.get("OPTIONS", {}),
        "pool": {
            "min_size": 1,
            "max_size": env.integer("COVEY_DB_POOL", 16, 1),
            "timeout": 10,
            "reconnect_timeout": 10,  # else it tries again after minutes when the server was away for minutes
            "connection_class": postgresql.Connection,
        },
    }
else:
    raise env.SettingError("DATABASE_URL", "names neither PostgreSQL nor SQLite", "Use postgres://… or sqlite:///….")
COVEY_UPGRADE_BACKUP = env.boolean("COVEY_UPGRADE_BACKUP", True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def mlflow_database_url() -> str:
    """MLflow's own tables: its own SQLite file, or the schema `mlflow` of the hub's PostgreSQL."""
    if SQLITE:
        return f"sqlite:///{COVEY_HOME / 'mlflow.sqlite3'}"
    plain = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", DATABASE_URL)
    return f"{plain}{'&' if '?' in plain else '?'}options=-csearch_path%3Dmlflow"


MLFLOW_DATABASE_URL = env.text("MLFLOW_DATABASE_URL") or mlflow_database_url()
env.scheme("MLFLOW_DATABASE_URL", MLFLOW_DATABASE_URL, {"sqlite", "postgresql", "postgresql+psycopg"})
env.sqlite_file("MLFLOW_DATABASE_URL", MLFLOW_DATABASE_URL)

# ---- objects -----------------------------------------------------------------------------------
COVEY_S3_ENDPOINT = env.origin("COVEY_S3_ENDPOINT", "")
COVEY_S3_BUCKET = env.text("COVEY_S3_BUCKET")
COVEY_S3_ACCESS_KEY = env.text("COVEY_S3_ACCESS_KEY")
COVEY_S3_SECRET_KEY = env.text("COVEY_S3_SECRET_KEY")
COVEY_S3_REGION = env.text("COVEY_S3_REGION", "us-east-1")
COVEY_S3_PRESIGN = env.boolean("COVEY_S3_PRESIGN")
OBJECTS_ROOT = COVEY_HOME / "objects"
if COVEY_S3_ENDPOINT and not (COVEY_S3_BUCKET and COVEY_S3_ACCESS_KEY and COVEY_S3_SECRET_KEY):
    raise env.SettingError(
        "COVEY_S3_ENDPOINT", "is set alone", "Set COVEY_S3_BUCKET, COVEY_S3_ACCESS_KEY and COVEY_S3_SECRET_KEY too."
    )

# ---- cache and tasks ---------------------------------------------------------------------------
CACHE_URL = required("CACHE_URL", "Set it to redis://….")
env.scheme("CACHE_URL", CACHE_URL, {"redis", "rediss", "unix"})
CACHES = {
    "default": {
        "BACKEND": "hub.lib.cache.ForgivingRedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}
}
BROKER_URL = required("BROKER_URL", "Set it to redis://… or amqp://….") or "filesystem://"
env.scheme("BROKER_URL", BROKER_URL, {"redis", "rediss", "amqp", "amqps", "filesystem"})
CELERY_BROKER_URL = "filesystem://localhost" if BROKER_URL == "filesystem://" else BROKER_URL
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
COVEY_WORKER_THREADS = env.integer("COVEY_WORKER_THREADS", 4, 1)
if BROKER_URL == "filesystem://":
    _broker = env.private_folder(COVEY_HOME / "broker")
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        # One folder for both directions: what one process sends, the other reads.
        "data_folder_in": str(env.private_folder(_broker / "queue")),
        "data_folder_out": str(_broker / "queue"),
        "control_folder": str(env.private_folder(_broker / "control")),
        "polling_interval": 0.1,
    }
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # its mailboxes are files that nobody would remove
elif BROKER_URL.startswith("redis"):  # one that is frozen would hold up whoever sends a task, a push among them
    CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 3}

# ---- people ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SIGNUP_OPEN = env.boolean("COVEY_SIGNUP", True)
ACCOUNT_ADAPTER = "hub.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "hub.accounts.forms.LoginForm",
    "signup": "hub.accounts.forms.SignupForm",
    "add_email": "hub.accounts.forms.AddEmailForm",
    "reset_password": "hub.accounts.forms.ResetPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"  # works without a mail server; what is unverified proves nothing
ACCOUNT_PREVENT_ENUMERATION = "strict"  # sign-up and reset never tell whether an address is known
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
LOGIN_WINDOW = 60  # seconds
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/key",  # key: name and /24, see AccountAdapter
    "login": "120/m/ip",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,3/m/key",
}
WRONG_TOKENS_PER_WINDOW = 30  # distinct wrong tokens per address in 3 minutes
MFA_ADAPTER = "hub.accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Covey"
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True  # safe: sign-up never blocks the address's owner (strict, above)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no further cookie

# smtp://user:password@host:587 (STARTTLS), smtps://… (TLS), smtp+plain://host:25; unset: mails are printed.
EMAIL_URL = urlsplit(env.text("EMAIL_URL"))
env.scheme("EMAIL_URL", EMAIL_URL.geturl(), {"smtp", "smtps", "smtp+plain"})
if EMAIL_URL.scheme and not EMAIL_URL.hostname:
    raise env.SettingError("EMAIL_URL", "names no host", "Set it to smtp://user:password@host:587.")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_URL.scheme else 'console'}.EmailBackend"
EMAIL_HOST = EMAIL_URL.hostname or "localhost"
EMAIL_PORT = EMAIL_URL.port or {"smtp": 587, "smtps": 465}.get(EMAIL_URL.scheme, 25)
EMAIL_HOST_USER = unquote(EMAIL_URL.username or "")
EMAIL_HOST_PASSWORD = unquote(EMAIL_URL.password or "")
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_URL.scheme == "smtp", EMAIL_URL.scheme == "smtps"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"Covey <covey@{_url.hostname}>")

# ---- web ---------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("COVEY_STATIC_ROOT", str(COVEY_HOME / "static"))).absolute()
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "hub.static.WheelAssets",
]
STATICFILES_DIRS = [BASE_DIR / "frontend" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "hub.static.HashedStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
X_FRAME_OPTIONS = "SAMEORIGIN"

# ---- limits (security.md §4) -------------------------------------------------------------------
GIT_MAX_PUSH_BYTES = env.integer("COVEY_GIT_MAX_PUSH_BYTES", 4 * 1024**3, 1)
GIT_MAX_REF_COMMANDS = env.integer("COVEY_GIT_MAX_REF_COMMANDS", 2_500, 1)
GIT_MAX_OBJECT_BYTES = env.integer("COVEY_GIT_MAX_OBJECT_BYTES", 2 * 1024**3, 1)
GIT_MAX_REPOSITORY_BYTES = env.integer("COVEY_GIT_MAX_REPOSITORY_BYTES", 0)  # 0: no limit
GIT_MAX_GIFT_BYTES = env.integer("COVEY_GIT_MAX_GIFT_BYTES", 256 * 1024**2)  # of somebody's requests; 0: no limit
DATA_MAX_REPOSITORY_BYTES = env.integer("COVEY_DATA_MAX_REPOSITORY_BYTES", 0)  # 0: no limit
SCRUB_DAYS = env.integer("COVEY_SCRUB_DAYS", 30)  # every object is read again about that often; 0: never
GIT_FETCHES = env.integer("COVEY_GIT_FETCHES", 16, 1)  # at once, per web process
GIT_PUSHES = env.integer("COVEY_GIT_PUSHES", 8, 1)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["hub.accounts.api_authentication.ActorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "hub.lib.api.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "hub.lib.api_schema.Schema",
    "DEFAULT_PARSER_CLASSES": ["hub.lib.api.Json", "rest_framework.parsers.FormParser"],
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"anon": "60/min", "user": "600/min"},
    "NUM_PROXIES": 0,  # the address is the connection's; the server reads proxies' headers where it trusts them
    "EXCEPTION_HANDLER": "hub.lib.api.handle_error",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Covey",
    "DESCRIPTION": "Every answer that is no success is {error, details}: what happened, and the next step.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["hub.lib.api_schema.complete"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "An access token."}}
    },
}

# ---- log ---------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "hub.lib.logs.JsonLines" if PRODUCTION else "hub.lib.logs.PlainLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "uvicorn": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "psycopg.pool": {"level": "ERROR"},  # a failed connection is raised to whoever asked for it
        "covey": {"level": "INFO"},
    },
}
