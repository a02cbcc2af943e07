package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.local.Json;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a runtime hands over for one container, {@code runtimeConfig}: it does so for those
 * capabilities only that the configuration declares.
 *
 * @param addresses {@code ips}: the addresses wanted; those without a length as /32 or /128
 * @param mac {@code mac}: the hardware address wanted for the container's interface
 * @param portMappings {@code portMappings}
 * @param bandwidth {@code bandwidth}
 * @param fields all of it as it came, for a kind with more capabilities
 */
public record RuntimeConfig(
    List<InterfaceAddress> addresses,
    Optional<Mac> mac,
    List<PortMapping> portMappings,
    Optional<Bandwidth> bandwidth,
    Map<String, Object> fields) {
  public RuntimeConfig {
    addresses = List.copyOf(addresses);
    portMappings = List.copyOf(portMappings);
  }

  /**
   * With what podman and others say in {@code CNI_ARGS} instead: {@code IP} and {@code MAC}. What a
   * capability says counts.
   */
  RuntimeConfig withArgs(Map<String, String> args) throws CniException {
    List<InterfaceAddress> wanted = addresses;
    Optional<Mac> wantedMac = mac;
    try {
      if (wanted.isEmpty() && !args.getOrDefault("IP", "").isEmpty()) {
        wanted = List.of(address(args.getOrDefault("IP", "")));
      }
      if (wantedMac.isEmpty() && !args.getOrDefault("MAC", "").isEmpty()) {
        wantedMac = Optional.of(ofOneInterface(args.getOrDefault("MAC", "")));
      }
    } catch (IllegalArgumentException e) {
      throw CniRequest.environment("CNI_ARGS: " + e.getMessage() + ".");
    }
    return new RuntimeConfig(wanted, wantedMac, portMappings, bandwidth, fields);
  }

  /** As {@link #parse}, of a call that must not fail for what is said here: nothing, then (C2). */
  static RuntimeConfig parseLeniently(Map<String, Object> fields) {
    try {
      return parse(fields);
    } catch (CniException _) {
      return new RuntimeConfig(List.of(), Optional.empty(), List.of(), Optional.empty(), fields);
    }
  }

  static RuntimeConfig parse(Map<String, Object> fields) throws CniException {
    return new RuntimeConfig(
        addresses(fields), mac(fields), portMappings(fields), bandwidth(fields), fields);
  }

  private static List<InterfaceAddress> addresses(Map<String, Object> fields) throws CniException {
    if (!fields.containsKey("ips")) {
      return List.of();
    }
    try {
      List<InterfaceAddress> addresses = new ArrayList<>();
      for (String text : Json.texts(fields, "ips")) {
        addresses.add(address(text));
      }
      return addresses;
    } catch (IllegalArgumentException e) {
      throw invalid("ips", e, "Pass a list of addresses, such as 10.244.1.5 or 10.244.1.5/32.");
    }
  }

  private static InterfaceAddress address(String text) {
    Optional<Ip> alone = Ip.tryParse(text);
    if (alone.isPresent()) {
      return new InterfaceAddress(alone.get(), alone.get().family().bits());
    }
    try {
      return InterfaceAddress.parse(text);
    } catch (IllegalArgumentException _) {
      throw new IllegalArgumentException("'" + text + "' is not an address");
    }
  }

  private static Optional<Mac> mac(Map<String, Object> fields) throws CniException {
    if (!fields.containsKey("mac")) {
      return Optional.empty();
    }
    try {
      return Optional.of(ofOneInterface(Json.text(fields, "mac")));
    } catch (IllegalArgumentException e) {
      throw invalid("mac", e, "Pass one such as 02:42:ac:11:00:02, its first byte even.");
    }
  }

  private static Mac ofOneInterface(String text) {
    Mac mac = Mac.parse(text);
    if ((mac.toBytes()[0] & 1) != 0 || mac.bits() == 0) {
      throw new IllegalArgumentException("'" + text + "' is no address of one interface");
    }
    return mac;
  }

  private static List<PortMapping> portMappings(Map<String, Object> fields) throws CniException {
    if (!fields.containsKey("portMappings")) {
      return List.of();
    }
    List<PortMapping> mappings = new ArrayList<>();
    try {
      for (Map<String, Object> said : Json.children(fields, "portMappings")) {
        Map<String, Object> entry = inAnyCase(said);
        String hostIp = entry.containsKey("hostIP") ? Json.text(entry, "hostIP") : "";
        String protocol = entry.containsKey("protocol") ? Json.text(entry, "protocol") : "tcp";
        mappings.add(
            new PortMapping(
                hostIp.isEmpty() ? Optional.empty() : Optional.of(Ip.parse(hostIp)),
                Math.toIntExact(Json.number(entry, "hostPort")),
                Math.toIntExact(Json.number(entry, "containerPort")),
                Protocol.parse(protocol)));
      }
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw invalid(
          "portMappings[" + mappings.size() + "]",
          e,
          "Pass hostPort and containerPort from 1 to 65535, protocol tcp, udp or sctp, and hostIP"
              + " empty or an address.");
    }
    return mappings;
  }

  private static Optional<Bandwidth> bandwidth(Map<String, Object> fields) throws CniException {
    if (!fields.containsKey("bandwidth")) {
      return Optional.empty();
    }
    try {
      Map<String, Object> limits = inAnyCase(Json.child(fields, "bandwidth"));
      return Optional.of(
          new Bandwidth(
              limit(limits, "ingressRate"),
              limit(limits, "ingressBurst"),
              limit(limits, "egressRate"),
              limit(limits, "egressBurst")));
    } catch (IllegalArgumentException e) {
      throw invalid("bandwidth", e, "Pass rates in bits a second and bursts in bits.");
    }
  }

  /** containerd writes {@code HostPort}, and Go, in which the reference plugins are, takes both. */
  private static Map<String, Object> inAnyCase(Map<String, Object> fields) {
    Map<String, Object> found = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    found.putAll(fields);
    return found;
  }

  private static long limit(Map<String, Object> limits, String field) {
    return limits.containsKey(field) ? Json.number(limits, field) : 0;
  }

  private static CniException invalid(String field, Exception why, String remedy) {
    return new CniException(
        Code.INVALID_CONFIG, "runtimeConfig." + field + ": " + why.getMessage() + ".", remedy);
  }
}
