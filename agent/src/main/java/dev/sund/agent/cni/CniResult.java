package dev.sund.agent.cni;

import dev.sund.agent.local.Json;
import dev.sund.kernel.route.Link;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a plugin's ADD has made, in no version's form: {@link #fields} gives it the form that was
 * asked for.
 *
 * @param interfaces the ends of links, those of the host first by custom
 * @param addresses the container's addresses
 * @param routes the container's routes
 * @param dns as CNI has it: {@code nameservers}, {@code domain}, {@code search}, {@code options}
 */
public record CniResult(
    List<Interface> interfaces, List<Address> addresses, List<Route> routes, Map<String, ?> dns) {
  public CniResult {
    interfaces = List.copyOf(interfaces);
    addresses = List.copyOf(addresses);
    routes = List.copyOf(routes);
  }

  /** A result in which nothing was made. */
  public static final CniResult EMPTY = new CniResult(List.of(), List.of(), List.of(), Map.of());

  /**
   * An interface.
   *
   * @param name its name
   * @param mac its hardware address, such as {@code 02:53:75:6e:64:01}; empty when it has none
   * @param sandbox path of the namespace it is in; empty for the host's
   * @param more what else stood there: kept, since a later plugin may need it
   */
  public record Interface(String name, String mac, String sandbox, Map<String, ?> more) {
    /** An interface of which no more is known. */
    public Interface(String name, String mac, String sandbox) {
      this(name, mac, sandbox, Map.of());
    }

    /** A device of the host. */
    static Interface of(Link link) {
      return new Interface(link.name(), link.mac().map(Mac::toString).orElse(""), "");
    }
  }

  /**
   * An address.
   *
   * @param interfaceIndex which of the result's interfaces has it; empty when it is not said
   * @param address the address, with its subnet's length
   * @param gateway of its subnet
   */
  public record Address(
      Optional<Integer> interfaceIndex, InterfaceAddress address, Optional<Ip> gateway) {}

  /**
   * A route.
   *
   * @param destination where to
   * @param gateway by which; empty means the gateway of the address, or the link itself
   * @param more further keys ({@code mtu}, {@code advmss}, {@code priority}, {@code table}, {@code
   *     scope}), as they came
   */
  public record Route(Prefix destination, Optional<Ip> gateway, Map<String, ?> more) {
    /** A route with no further keys. */
    public Route(Prefix destination, Optional<Ip> gateway) {
      this(destination, gateway, Map.of());
    }
  }

  /**
   * The result's JSON object in a version's form. Before 1.0.0 an address says its family; before
   * 0.3.0 there are no interfaces and one address a family.
   */
  public Map<String, Object> fields(CniVersion version) {
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("cniVersion", version.text());
    if (version.atLeast(CniVersion.V0_3_0)) {
      putUnlessEmpty(result, "interfaces", interfaces.stream().map(CniResult::fields).toList());
      putUnlessEmpty(
          result,
          "ips",
          addresses.stream()
              .map(address -> fields(address, !version.atLeast(CniVersion.V1_0_0)))
              .toList());
      putUnlessEmpty(result, "routes", routes.stream().map(CniResult::fields).toList());
    } else {
      putFirst(result, "ip4", Family.V4);
      putFirst(result, "ip6", Family.V6);
    }
    result.put("dns", dns);
    return result;
  }

  /** This result with one more interface, behind the others. */
  public CniResult withInterface(Interface one) {
    List<Interface> more = new ArrayList<>(interfaces);
    more.add(one);
    return new CniResult(more, addresses, routes, dns);
  }

  /** This result with other addresses. */
  public CniResult withAddresses(List<Address> others) {
    return new CniResult(interfaces, others, routes, dns);
  }

  /**
   * Reads a result.
   *
   * @param version the form that it has
   * @throws IllegalArgumentException naming the field
   */
  public static CniResult parse(Map<String, Object> fields, CniVersion version) {
    if (!version.atLeast(CniVersion.V0_3_0)) {
      return parseOld(fields);
    }
    List<Interface> interfaces = new ArrayList<>();
    for (Map<String, Object> item : Json.children(fields, "interfaces")) {
      Map<String, Object> more = new LinkedHashMap<>(item);
      List.of("name", "mac", "sandbox").forEach(more::remove);
      interfaces.add(
          new Interface(
              Json.text(item, "name"), optional(item, "mac"), optional(item, "sandbox"), more));
    }
    List<Address> addresses = new ArrayList<>();
    for (Map<String, Object> item : Json.children(fields, "ips")) {
      Optional<Integer> index =
          item.containsKey("interface")
              ? Optional.of(Math.toIntExact(Json.number(item, "interface")))
              : Optional.empty();
      addresses.add(
          new Address(
              index, InterfaceAddress.parse(Json.text(item, "address")), ip(item, "gateway")));
    }
    return new CniResult(
        interfaces, addresses, routes(Json.children(fields, "routes")), Json.child(fields, "dns"));
  }

  private static CniResult parseOld(Map<String, Object> fields) {
    List<Address> addresses = new ArrayList<>();
    List<Route> routes = new ArrayList<>();
    for (String key : List.of("ip4", "ip6")) {
      Map<String, Object> part = Json.child(fields, key);
      if (!part.isEmpty()) {
        addresses.add(
            new Address(
                Optional.empty(),
                InterfaceAddress.parse(Json.text(part, "ip")),
                ip(part, "gateway")));
        routes.addAll(routes(Json.children(part, "routes")));
      }
    }
    return new CniResult(List.of(), addresses, routes, Json.child(fields, "dns"));
  }

  private static List<Route> routes(List<Map<String, Object>> items) {
    List<Route> routes = new ArrayList<>();
    for (Map<String, Object> item : items) {
      Map<String, Object> more = new LinkedHashMap<>(item);
      List.of("dst", "gw").forEach(more::remove);
      InterfaceAddress destination = InterfaceAddress.parse(Json.text(item, "dst"));
      routes.add(new Route(destination.subnet(), ip(item, "gw"), more));
    }
    return routes;
  }

  private static String optional(Map<String, Object> item, String key) {
    return item.containsKey(key) ? Json.text(item, key) : "";
  }

  private static Optional<Ip> ip(Map<String, Object> item, String key) {
    String text = optional(item, key);
    return text.isEmpty() ? Optional.empty() : Optional.of(Ip.parse(text));
  }

  private static Map<String, Object> fields(Interface item) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", item.name());
    putUnlessEmpty(fields, "mac", item.mac());
    putUnlessEmpty(fields, "sandbox", item.sandbox());
    fields.putAll(item.more());
    return fields;
  }

  private static Map<String, Object> fields(Address item, boolean sayFamily) {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (sayFamily) {
      fields.put("version", item.address().ip().family() == Family.V4 ? "4" : "6");
    }
    item.interfaceIndex().ifPresent(index -> fields.put("interface", index));
    fields.put("address", item.address().toString());
    item.gateway().ifPresent(gateway -> fields.put("gateway", gateway.toString()));
    return fields;
  }

  private static Map<String, Object> fields(Route item) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("dst", item.destination().toString());
    item.gateway().ifPresent(gateway -> fields.put("gw", gateway.toString()));
    fields.putAll(item.more());
    return fields;
  }

  private void putFirst(Map<String, Object> result, String key, Family family) {
    addresses.stream()
        .filter(address -> address.address().ip().family() == family)
        .findFirst()
        .ifPresent(address -> {
          Map<String, Object> part = new LinkedHashMap<>();
          part.put("ip", address.address().toString());
          address.gateway().ifPresent(gateway -> part.put("gateway", gateway.toString()));
          putUnlessEmpty(
              part,
              "routes",
              routes.stream()
                  .filter(route -> route.destination().family() == family)
                  .map(CniResult::fields)
                  .toList());
          result.put(key, part);
        });
  }

  private static void putUnlessEmpty(Map<String, Object> map, String key, List<?> value) {
    if (!value.isEmpty()) {
      map.put(key, value);
    }
  }

  private static void putUnlessEmpty(Map<String, Object> map, String key, String value) {
    if (!value.isEmpty()) {
      map.put(key, value);
    }
  }
}
