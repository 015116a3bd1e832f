# Builds an image with the Deno runtime and Deskhand, bundled with its packages, and nothing else:
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
    DENO_V8_FLAGS=--max-semi-space-size=16,--invocation-count-for-turbofan=200,--max-inlined-bytecode-size=1000,--max-inlined-bytecode-size-cumulative=3000
WORKDIR /build
COPY . .
# One file for the service and for each task, with what they share or load on demand in further files: a
# start takes 0.7 of the CPU time, and the image needs no packages but their licenses. The code is not
# minified, so that errors have readable stack traces.
RUN DENO_DIR=/tmp/packages deno bundle --config=config/deploy/production.json --platform=deno \
      --code-splitting --outdir=/srv/deskhand main.ts config/report/main.ts config/deploy/health.ts \
      tests/demo/print_token.ts tests/smoke/main.ts && \
    deno eval 'const path = "config/deploy/production.json"; \
      const { unstable, tasks } = JSON.parse(Deno.readTextFileSync(path)); \
      const manifest = JSON.stringify({ unstable, lock: false, tasks }, null, 2); \
      Deno.writeTextFileSync("/srv/deskhand/deno.json", manifest.replaceAll(".ts", ".js"));' && \
    cp LICENSE /srv/deskhand && mkdir /srv/deskhand/licenses && cd /tmp/packages/npm/* && \
    find . \( -iname 'LICEN[CS]E*' -o -iname 'NOTICE*' \) \
      -exec cp --parents -t /srv/deskhand/licenses {} +
WORKDIR /srv/deskhand
# Starts the service once: an image that cannot start is not built, and V8's compiled code, which a
# read-only container cannot store, saves each start half of its time.
RUN export AUTH_SECRET="only for the start while building" KV_PATH=/tmp/build.kv PORT=58000 && \
    deno run --cached-only --no-prompt -A main.js & \
    for attempt in 1 2 3 4 5 6 7 8 9 10; do \
      sleep 1; \
      PORT=58000 deno run --cached-only --no-prompt -A config/deploy/health.js && break; \
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
    DENO_V8_FLAGS=--max-semi-space-size=16,--invocation-count-for-turbofan=200,--max-inlined-bytecode-size=1000,--max-inlined-bytecode-size-cumulative=3000 \
    HOST=0.0.0.0 \
    PORT=8000 \
    KV_PATH=/data/requests.kv
WORKDIR /srv/deskhand
USER 65532:65532
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["deno", "run", "--cached-only", "--no-prompt", "--allow-env=PORT,NO_PROXY", \
       "--allow-net=127.0.0.1", "config/deploy/health.js"]
ENTRYPOINT ["deno", "run", "--cached-only", "--no-prompt", "--allow-env", "--allow-net", \
            "--allow-read=/data", "--allow-write=/data", "main.js"]
