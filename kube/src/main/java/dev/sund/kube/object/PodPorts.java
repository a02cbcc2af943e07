package dev.sund.kube.object;

import dev.sund.engine.cluster.PortMapping;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import dev.sund.model.Port;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

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

  static final Shape CONTAINER =
      Shape.object()
          .use("name", "restartPolicy")
          .use(
              "ports",
              Shape.listOf(
                  Shape.object().use("containerPort", "protocol", "name", "hostPort", "hostIP")))
          .use("livenessProbe", PROBE)
          .use("readinessProbe", PROBE)
          .use("startupProbe", PROBE)
          .pass("args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle")
          .pass("resizePolicy", "resources", "restartPolicyRules", "securityContext", "stdin")
          .pass("stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty")
          .pass("volumeDevices", "volumeMounts", "workingDir");

  private static final Map<String, Protocol> PROTOCOLS =
      Map.of("TCP", Protocol.TCP, "UDP", Protocol.UDP, "SCTP", Protocol.SCTP);

  private final NavigableMap<String, Port> ports = new TreeMap<>();
  private final Set<PortMapping> hostPorts = new TreeSet<>();

  private PodPorts() {}

  /**
   * What was read.
   *
   * @param ports what may be expected to answer, sorted; a port is named by its declaration, and is
   *     there once for each of its names
   * @param hostPorts which of them are wanted at the node's addresses too, sorted
   */
  record Found(List<Port> ports, List<PortMapping> hostPorts) {}

  /** The ports of the pod with this {@code spec}. */
  static Found read(Field spec) {
    PodPorts found = new PodPorts();
    List<Field> containers = new ArrayList<>(spec.at("containers").items());
    for (Field init : spec.at("initContainers").items()) {
      if (init.at("restartPolicy").text().filter("Always"::equals).isPresent()) {
        containers.add(init);
      }
    }
    containers.forEach(found::declared);
    containers.forEach(found::probed);
    return new Found(found.ports.values().stream().sorted().toList(), List.copyOf(found.hostPorts));
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
      Optional<Integer> inside = number.number(1, 65535);
      inside.ifPresent(value -> add(new Port(value, used, name)));
      Field host = port.at("hostPort");
      Optional<Integer> hostPort =
          host.present() ? host.number(0, 65535).filter(value -> value > 0) : Optional.empty();
      Field address = port.at("hostIP");
      Optional<Ip> hostIp =
          address.text().filter(text -> !text.isEmpty()).flatMap(_ -> address.ip("192.168.1.11"));
      if (inside.isPresent() && hostPort.isPresent()) {
        hostPorts.add(new PortMapping(hostIp, hostPort.get(), inside.get(), used));
      }
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

  /** A port may have several names, in several containers; policies ask for each. */
  private void add(Port port) {
    String unnamed = port + " ";
    @Nullable String next = ports.ceilingKey(unnamed);
    if (port.name().isEmpty() && next != null && next.startsWith(unnamed)) {
      return;
    }
    ports.remove(unnamed);
    ports.put(unnamed + port.name(), port);
  }
}
