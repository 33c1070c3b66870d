"""The settings of a Kafka for tests: one node, loopback, small and quick."""

from collections.abc import Mapping

from servers.kafka_server import PASSWORD, USER

CLUSTER_ID = "TmV3c3dpcmUtdGVzdHMtMQ"  # any 16 bytes, in URL-safe Base64
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")

ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    "num.partitions": "1",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "auto.create.topics.enable": "false",
}

QUICK = {
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # a killed broker may come back only when its old session is over
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # tests of retention and compaction wait for these
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.threads": "1",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
}

LOG4J = """\
status = warn
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""
STARTED = "Kafka Server started"  # what that logger says when all listeners serve


def properties(listen: Mapping[str, str], advertise: Mapping[str, str], data: str) -> str:
    """Return a server.properties.

    Args:
        listen: host:port to listen at, per listener: PLAINTEXT, SASL_PLAINTEXT, INTERNAL and CONTROLLER.
        advertise: host:port that clients are told, per listener; all but CONTROLLER.
        data: the folder of the data.
    """
    lines = {
        **ONE_NODE,
        **QUICK,
        **_sasl(),
        "listeners": _addresses(listen),
        "advertised.listeners": _addresses(advertise),
        "listener.security.protocol.map": ",".join(
            f"{name}:{'SASL_PLAINTEXT' if name == 'SASL_PLAINTEXT' else 'PLAINTEXT'}" for name in listen
        ),
        "controller.quorum.voters": f"1@{listen['CONTROLLER']}",
        "log.dirs": data,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _addresses(listeners: Mapping[str, str]) -> str:
    return ",".join(f"{name}://{address}" for name, address in listeners.items())


def _sasl() -> dict[str, str]:
    security = "org.apache.kafka.common.security"
    listener = "listener.name.sasl_plaintext"
    scram = {
        f"{listener}.{mechanism.lower()}.sasl.jaas.config": f"{security}.scram.ScramLoginModule required;"
        for mechanism in SCRAM
    }
    plain = f'{security}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    return {
        "sasl.enabled.mechanisms": ",".join(["PLAIN", *SCRAM]),
        f"{listener}.plain.sasl.jaas.config": plain,
        **scram,
    }


def scram_users() -> list[str]:
    """Return the arguments with which the data folder is formatted so that SCRAM knows the user."""
    return [
        argument
        for mechanism in SCRAM
        for argument in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")
    ]
