# syntax=docker/dockerfile:1
FROM node:22-bookworm-slim AS graphiql
WORKDIR /src
COPY app/graphiql app/graphiql
RUN cd app/graphiql && npm ci --no-audit --no-fund && node build.mjs ../static/graphiql

FROM python:3.13-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/windtunnel
COPY requirements.lock .
RUN pip install -r requirements.lock
COPY . .
COPY --from=graphiql /src/app/static/graphiql app/static/graphiql
RUN WINDTUNNEL_SKIP_GRAPHIQL=1 pip install --no-deps . && useradd --system --home /srv/windtunnel windtunnel \
    && mkdir -p /var/lib/windtunnel && chown windtunnel /var/lib/windtunnel
USER windtunnel
ENV WINDTUNNEL_DATA_DIR=/var/lib/windtunnel
ENTRYPOINT ["windtunnel"]
CMD ["serve"]
