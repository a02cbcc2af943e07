package dev.sund.kube.object;

import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Port;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The ports of a pod: what its containers and its sidecars (init containers that keep running)
 * declare, and what their probes ask, so that something may be expected to answer there.
 */
final class PodPorts {
  private static final Shape PROBE =
      Shape.object()
          .use("httpGet", Shape.object().use("port").pass("path", "scheme", "host", "httpHeaders"))
          .use("tcpSocket", Shape.object().use("port").pass("host"))
          .use("grpc", Shape.object().use("port").pass("service"))
          .pass("exec", "initialDelaySeconds", "timeoutSeconds", "periodSeconds")
          .pass("successThreshold", "failureThreshold", "terminationGracePeriodSeconds");

  private static final String HOST_PORT = "Sund does not forward host ports yet";

  static final Shape CONTAINER =
      Shape.object()
          .use("name", "restartPolicy")
          .use(
              "ports",
              Shape.listOf(
                  Shape.object()
                      .use("containerPort", "protocol", "name")
                      .tell("hostPort", HOST_PORT)
                      .tell("hostIP", HOST_PORT)))
          .use("livenessProbe", PROBE)
          .use("readinessProbe", PROBE)
          .use("startupProbe", PROBE)
          .pass("args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle")
          .pass("resizePolicy", "resources", "restartPolicyRules", "securityContext", "stdin")
          .pass("stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty")
          .pass("volumeDevices", "volumeMounts", "workingDir");

  private static final Map<String, Protocol> PROTOCOLS =
      Map.of("TCP", Protocol.TCP, "UDP", Protocol.UDP, "SCTP", Protocol.SCTP);

  private final Map<String, Port> ports = new TreeMap<>();

  private PodPorts() {}

  /** The ports of the pod with this {@code spec}, sorted; a port is named by its declaration. */
  static List<Port> read(Field spec) {
    PodPorts found = new PodPorts();
    List<Field> containers = new ArrayList<>(spec.at("containers").items());
    for (Field init : spec.at("initContainers").items()) {
      if (init.at("restartPolicy").text().filter("Always"::equals).isPresent()) {
        containers.add(init);
      }
    }
    containers.forEach(found::declared);
    containers.forEach(found::probed);
    return found.ports.values().stream().sorted().toList();
  }

  private void declared(Field container) {
    for (Field port : container.at("ports").items()) {
      Field number = port.at("containerPort");
      if (!number.present()) {
        number.invalid("the field is missing.", "Write the port that the container listens on.");
      }
      Field protocol = port.at("protocol");
      Protocol used =
          protocol.present() ? protocol.oneOf(PROTOCOLS).orElse(Protocol.TCP) : Protocol.TCP;
      String name = port.at("name").text().orElse("");
      number.number(1, 65535).ifPresent(value -> add(new Port(value, used, name)));
    }
  }

  private void probed(Field container) {
    for (String probe : List.of("livenessProbe", "readinessProbe", "startupProbe")) {
      for (String way : List.of("httpGet", "tcpSocket", "grpc")) {
        Field port = container.at(probe).at(way).at("port");
        if (port.present()) {
          number(container, port).ifPresent(value -> add(new Port(value, Protocol.TCP, "")));
        }
      }
    }
  }

  private static Optional<Integer> number(Field container, Field port) {
    String name =
        port.tree().orElseThrow() instanceof Tree.Scalar scalar
                && scalar.kind() == Tree.Kind.TEXT
                && !scalar.text().chars().allMatch(c -> c >= '0' && c <= '9')
            ? scalar.text()
            : "";
    if (name.isEmpty()) {
      return port.number(1, 65535);
    }
    for (Field declared : container.at("ports").items()) {
      if (declared.at("name").text().filter(name::equals).isPresent()) {
        return declared.at("containerPort").number(1, 65535);
      }
    }
    port.problem(
        Reason.IGNORED_FIELD,
        "'" + name + "' is no name of a port of this container, so nothing is expected there.",
        "Name one of the container's ports, or write a number.");
    return Optional.empty();
  }

  private void add(Port port) {
    ports.merge(
        port.number() + "/" + port.protocol(),
        port,
        (before, now) -> before.name().isEmpty() ? now : before);
  }
}
