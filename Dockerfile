# The one image of Covey: web, worker and beat are the same code with another command.
# docker build -t covey .
FROM docker.io/library/python:3.13-slim-bookworm

# git carries the repositories, bubblewrap walls the previews, postgresql-client makes backups.
RUN apt-get update \
 && apt-get install -y --no-install-recommends git bubblewrap postgresql-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --shell /usr/sbin/nologin covey \
 && install -d -o covey -g covey -m 0700 /data \
 && install -d -o covey -g covey /srv/static

COPY requirements/server.txt /srv/covey/requirements/server.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --no-compile -r /srv/covey/requirements/server.txt

COPY . /srv/covey
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable /srv/covey
# What only processes of the sandbox import: they may write nowhere, and each would compile it again.
RUN cd "$(python -c "import sysconfig as s; print(s.get_path('purelib'))")" \
 && python -m compileall -q -x '/tests/' duckdb numpy pyarrow /srv/covey/datasets /srv/covey/hub/lib

ENV COVEY_HOME=/data \
    COVEY_STATIC_ROOT=/srv/static \
    COVEY_BIND=0.0.0.0:8000 \
    PYTHONUNBUFFERED=1
USER covey
WORKDIR /data
# Collected at build time: a container starts without it, and without any setting of production.
RUN COVEY_HOME=/tmp/build python -c "import django; import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'hub.settings'; django.setup(); from hub import prepare; prepare.collect_static()" \
 && rm -rf /tmp/build

VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'Host': 'localhost'}), timeout=4)"]
CMD ["covey", "serve"]
