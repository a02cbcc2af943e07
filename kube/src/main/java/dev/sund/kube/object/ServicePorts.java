package dev.sund.kube.object;

import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** {@code spec.ports} of a Service. */
final class ServicePorts {
  static final Shape SHAPE =
      Shape.object().use("name", "protocol", "port", "nodePort").pass("targetPort", "appProtocol");

  private static final Map<String, Protocol> PROTOCOLS =
      Map.of("TCP", Protocol.TCP, "UDP", Protocol.UDP, "SCTP", Protocol.SCTP);

  private ServicePorts() {}

  /** The protocol that a Service or a slice states here; TCP when it states none. */
  static Protocol protocol(Field field) {
    return field.oneOf(PROTOCOLS).orElse(Protocol.TCP);
  }

  /**
   * The ports.
   *
   * @param nodePorts whether the Service is of a type that has ports at nodes
   */
  static List<ServicePort> read(Field list, boolean nodePorts) {
    List<ServicePort> found = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<String> taken = new HashSet<>();
    List<Field> items = list.items();
    for (Field item : items) {
      Field port = item.at("port");
      if (!port.present()) {
        port.invalid("the field is missing.", "Write the port of the Service's addresses.");
      }
      Optional<Integer> number = port.number(1, 65535);
      Protocol protocol = protocol(item.at("protocol"));
      Field named = item.at("name");
      String name = named.text().orElse("");
      if (name.isEmpty() && items.size() > 1) {
        named.invalid(
            "the field is missing, and the Service has several ports.", "Give each port a name.");
      } else if (!names.add(name)) {
        named.invalid("'" + name + "' is the name of another port too.", "Give each port its own.");
      }
      Field atNodes = item.at("nodePort");
      Optional<Integer> nodePort =
          nodePorts ? atNodes.number(0, 65535).filter(value -> value > 0) : Optional.empty();
      if (number.isPresent() && !taken.add("port " + number.get() + "/" + protocol)) {
        port.invalid(
            number.get() + "/" + protocol.label() + " is there twice.", "Leave one of them out.");
      }
      if (nodePort.isPresent() && !taken.add("nodePort " + nodePort.get() + "/" + protocol)) {
        atNodes.invalid(
            nodePort.get() + "/" + protocol.label() + " is there twice.", "Leave one of them out.");
      }
      if (number.isPresent()) {
        found.add(new ServicePort(Repeats.one(name), protocol, number.get(), nodePort));
      }
    }
    return found;
  }
}
