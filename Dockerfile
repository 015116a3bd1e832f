# Builds an image with the Deno runtime, Deskhand and its production packages, and nothing else:
#
#   docker build -t deskhand .
#
# Both base images are arguments. BUILD_IMAGE has a shell and either npm, which then installs Deno, or
# Deno itself (such as docker.io/denoland/deno:debian-2.9.6). BASE_IMAGE needs glibc and libgcc only.
ARG BUILD_IMAGE=docker.io/library/node:22-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
ARG DENO_VERSION=2.9.6
RUN if ! command -v deno; then \
      npm install --no-audit --no-fund --prefix /tmp/npm "deno@${DENO_VERSION}" && \
      cp /tmp/npm/node_modules/@deno/linux-*-glibc/deno /usr/local/bin/deno; \
    fi && \
    deno --version | grep -F "deno ${DENO_VERSION} " && \
    mkdir -p /image/usr/local/bin && cp "$(command -v deno)" /image/usr/local/bin/deno && \
    mkdir /volume && mkdir -m 700 /volume/data
ENV DENO_DIR=/var/cache/deskhand \
    DENO_NO_UPDATE_CHECK=1 \
    DENO_V8_FLAGS=--max-semi-space-size=8
WORKDIR /srv/deskhand
COPY . .
# Source maps and type declarations are two fifths of the packages, and nothing reads them at run time.
RUN deno install --config=config/deploy/production.json --entrypoint main.ts config/deploy/health.ts && \
    sed 's|"./production.lock"|"config/deploy/production.lock"|' config/deploy/production.json >deno.json && \
    find "$DENO_DIR" \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete
# Starts the service once: an image that cannot start is not built, and V8's compiled code, which a
# read-only container cannot store, saves each start half of its time.
RUN export AUTH_SECRET="only for the start while building" KV_PATH=/tmp/build.kv PORT=58000 && \
    deno run --config=config/deploy/production.json --cached-only --no-prompt -A main.ts & \
    for attempt in 1 2 3 4 5 6 7 8 9 10; do \
      sleep 1; \
      PORT=58000 deno run --config=config/deploy/production.json --cached-only --no-prompt -A \
        config/deploy/health.ts && break; \
    done && kill $! && wait $!

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="Deskhand" \
      org.opencontainers.image.description="Stores support requests and hands them to Request Tracker" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="2.0.0-dev"
COPY --from=build /image /
COPY --from=build /var/cache/deskhand /var/cache/deskhand
COPY --from=build /srv/deskhand /srv/deskhand
# /data, the folder of the KV file, is the only place that the service writes to, and for its user alone.
COPY --from=build --chown=65532:65532 /volume /
ENV DENO_DIR=/var/cache/deskhand \
    DENO_NO_UPDATE_CHECK=1 \
    DENO_V8_FLAGS=--max-semi-space-size=8 \
    HOST=0.0.0.0 \
    PORT=8000 \
    KV_PATH=/data/requests.kv
WORKDIR /srv/deskhand
USER 65532:65532
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["deno", "run", "--config=config/deploy/production.json", "--cached-only", "--no-prompt", \
       "--allow-env=PORT,NO_PROXY", "--allow-net=127.0.0.1", "config/deploy/health.ts"]
ENTRYPOINT ["deno", "run", "--config=config/deploy/production.json", "--cached-only", "--no-prompt", \
            "--allow-env", "--allow-net", "--allow-read=/data", "--allow-write=/data", "main.ts"]
