# The images of docker-compose.yml. docs/sandbox.md says how they are used, and how they are built where no
# registry can be reached. Nothing here needs BuildKit.
ARG BASE_IMAGE=debian:bookworm-slim
ARG BUILD_IMAGE=rust:1-slim-bookworm

# What the others are made of: the program, built from source, or a ready one where AXT_BINARY names a file
# of the build context; and wheels of the Python SDKs, where the context has some.
FROM ${BUILD_IMAGE} AS build
ARG AXT_BINARY=
WORKDIR /src
COPY . .
RUN set -eu; \
    if [ -z "$AXT_BINARY" ]; then \
      cargo build --release --locked; \
      AXT_BINARY=target/release/axt; \
      strip "$AXT_BINARY"; \
    fi; \
    install -D -m 0755 "$AXT_BINARY" /out/axt; \
    mkdir -p /out/wheels; \
    if [ -d target/docker/wheels ]; then cp target/docker/wheels/*.whl /out/wheels/; fi

# The program alone: a relay, an agent without user changes, or any other command.
FROM ${BASE_IMAGE} AS axt
COPY docker/packages /usr/local/sbin/axt-packages
RUN axt-packages ca-certificates \
 && useradd --create-home --uid 10001 --shell /bin/bash axt \
 && install -d -o axt -g axt /var/lib/axt /srv/trust
COPY --from=build /out/axt /usr/local/bin/axt
COPY docker/relay /usr/local/bin/axt-relay
COPY docker/experiments /usr/local/bin/axt-experiments
COPY docker/relay.toml /etc/axt/relay.toml
ENV AXT_STATE_DIR=/var/lib/axt
USER axt
WORKDIR /home/axt
EXPOSE 80 443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["axt", "health"]
CMD ["axt-relay"]

# An instance: root, for sessions may ask for a user, an SSH server, a web server and the agent.
FROM axt AS instance
USER root
WORKDIR /root
RUN axt-packages openssh-server procps python3 \
 && rm -f /etc/ssh/ssh_host_* \
 && useradd --create-home --shell /bin/bash ecs-user \
 && mkdir -p /run/sshd /srv/www
COPY docker/instance /usr/local/bin/axt-instance
EXPOSE 22 80
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s --retries=3 CMD ["test", "-s", "/run/axt/agent.json"]
CMD ["axt-instance"]

# What only the instances reach.
FROM ${BASE_IMAGE} AS db
COPY docker/packages /usr/local/sbin/axt-packages
RUN axt-packages redis-server && install -d -o redis -g redis /var/lib/redis
USER redis
WORKDIR /var/lib/redis
EXPOSE 6379
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=2s --timeout=5s --start-period=20s --retries=3 CMD ["redis-cli", "ping"]
CMD ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--appendonly", "yes"]

# To work from: the CLI, the Python SDKs, ssh and redis-cli.
FROM axt AS toolbox
USER root
RUN axt-packages openssh-client python3 redis-tools
COPY tests/sdk/python/requirements.txt /tmp/requirements.txt
COPY --from=build /out/wheels /tmp/wheels
RUN set -eu; \
    grep -i -E '^(alibabacloud|aliyun)' /tmp/requirements.txt >/tmp/sdks.txt; \
    into="$(python3 -c 'import site; print(site.getsitepackages()[0])')"; \
    pip="$(find /tmp/wheels -name 'pip-*.whl')"; \
    if [ -n "$pip" ]; then \
      python3 "$pip/pip" install --quiet --no-index --find-links /tmp/wheels --target "$into" -r /tmp/sdks.txt; \
    else \
      axt-packages python3-pip; \
      pip install --quiet --break-system-packages --target "$into" -r /tmp/sdks.txt; \
    fi
COPY sdk-examples /home/axt/sdk-examples
COPY docker/toolbox /usr/local/bin/axt-toolbox
USER axt
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["axt", "api", "DescribeRegions"]
CMD ["axt-toolbox"]
