# One image for every part of server mode; docker/entrypoint.py chooses the part.

FROM python:3.13-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /venv
COPY requirements.lock /tmp/
RUN /venv/bin/pip install --require-hashes --requirement /tmp/requirements.lock
ENV PATH=/venv/bin:$PATH

WORKDIR /app
COPY . .
# Without DATABASE_URL the settings ask for nothing, so that no secret is needed to build.
RUN find . -name '*.po' -exec sh -c \
        'python -m babel.messages.frontend --quiet compile -i "$1" -o "${1%.po}.mo"' _ {} \; \
    && DATA_DIR=/tmp/build STATIC_ROOT=/app/staticfiles \
        python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q .


FROM python:3.13-slim-bookworm

# Pango draws the PDF rosters.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 continuity \
    && useradd --uid 10001 --gid continuity --home-dir /data --shell /usr/sbin/nologin continuity \
    && install -d -o continuity -g continuity -m 0750 /data

COPY --from=build /venv /venv
COPY --from=build /app /app

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    STATIC_ROOT=/app/staticfiles

WORKDIR /app
USER continuity
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["python", "/app/docker/entrypoint.py"]
CMD ["web"]
