package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniRequest;
import dev.sund.agent.cni.NetworkConfig;
import dev.sund.kernel.route.Link;
import dev.sund.model.Mac;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A configuration of the plugin {@code bridge}.
 *
 * @param network the network's name
 * @param bridge the bridge's device
 * @param gateway {@code isGateway}: the bridge has the gateways' addresses
 * @param defaultGateway {@code isDefaultGateway}: and containers a default route to them
 * @param force {@code forceAddress}: other addresses of the bridge are removed
 * @param masquerade {@code ipMasq}: what leaves the network gets the node's address
 * @param mtu of bridge and links in bytes, 0 for the kernel's
 * @param hairpin {@code hairpinMode}
 * @param promiscuous {@code promiscMode}
 * @param mac the container's hardware address, when it is asked for
 * @param ipam its address management; without it containers get a link and no addresses
 * @param dns {@code dns}: goes before what the address management says
 */
record BridgeConfig(
    String network,
    String bridge,
    boolean gateway,
    boolean defaultGateway,
    boolean force,
    boolean masquerade,
    int mtu,
    boolean hairpin,
    boolean promiscuous,
    Optional<Mac> mac,
    Optional<HostLocalConfig> ipam,
    Map<String, Object> dns) {
  static final String TYPE = "bridge";

  /** RFC 791: every IPv4 network takes 68 bytes. */
  private static final int MIN_MTU = 68;

  private static final int MAX_MTU = 65535;

  private static final Set<String> KEYS =
      Set.of(
          "bridge",
          "isGateway",
          "isDefaultGateway",
          "forceAddress",
          "ipMasq",
          "ipMasqBackend",
          "mtu",
          "hairpinMode",
          "promiscMode",
          "vlan",
          "vlanTrunk",
          "preserveDefaultVlan",
          "macspoofchk",
          "enabledad",
          "disableContainerInterface",
          "portIsolation",
          "ipam",
          "dns");

  /** Parses the configuration of a call. */
  static BridgeConfig parse(CniRequest request) throws CniException {
    NetworkConfig config = request.config();
    ConfigFields fields = new ConfigFields(config.name(), "", config.fields());
    Set<String> known = new HashSet<>(KEYS);
    known.addAll(NetworkConfig.COMMON_KEYS);
    fields.refuseOthers(known);
    refuseUnsupported(fields);
    CallArgs.check(request, "MAC");
    String bridge = fields.text("bridge", "cni0");
    try {
      Link.checkName(bridge);
    } catch (IllegalArgumentException e) {
      throw fields.wrong("bridge", "cannot be used: " + e.getMessage(), "Use a name like cni0.");
    }
    int mtu = fields.number("mtu");
    if (mtu != 0 && (mtu < MIN_MTU || mtu > MAX_MTU)) {
      throw fields.wrong(
          "mtu",
          "is outside of " + MIN_MTU + " to " + MAX_MTU,
          "Use the MTU of the node's uplink, or leave the key out.");
    }
    boolean hairpin = fields.flag("hairpinMode");
    boolean promiscuous = fields.flag("promiscMode");
    if (hairpin && promiscuous) {
      throw fields.wrong(
          "promiscMode",
          "cannot be set together with hairpinMode",
          "Either lets a container reach itself by its service: set one of them.");
    }
    boolean defaultGateway = fields.flag("isDefaultGateway");
    return new BridgeConfig(
        config.name(),
        bridge,
        fields.flag("isGateway") || defaultGateway,
        defaultGateway,
        fields.flag("forceAddress"),
        fields.flag("ipMasq"),
        mtu,
        hairpin,
        promiscuous,
        mac(request, fields),
        ipam(request, fields),
        dns(fields.child("dns")));
  }

  private static Optional<HostLocalConfig> ipam(CniRequest request, ConfigFields fields)
      throws CniException {
    ConfigFields ipam = fields.child("ipam");
    String type = ipam.text("type", "");
    if (type.isEmpty()) {
      return Optional.empty();
    }
    if (!type.equals(HostLocalConfig.TYPE)) {
      throw HostLocalConfig.otherType(ipam);
    }
    return Optional.of(HostLocalConfig.parse(request));
  }

  private static Optional<Mac> mac(CniRequest request, ConfigFields fields) throws CniException {
    Optional<Mac> mac = request.config().runtime().mac();
    if (mac.isPresent()) {
      return mac;
    }
    mac = fields.child("args").child("cni").mac("mac");
    Optional<String> word = CallArgs.word(request, "MAC");
    if (mac.isPresent() || word.isEmpty()) {
      return mac;
    }
    try {
      return Optional.of(Mac.parse(word.get()));
    } catch (IllegalArgumentException e) {
      throw CallArgs.wrong("MAC=" + word.get() + ": " + e.getMessage(), "Say one.");
    }
  }

  private static void refuseUnsupported(ConfigFields fields) throws CniException {
    if (fields.number("vlan") != 0) {
      throw fields.unsupported(
          "vlan", "Use a bridge of its own for each VLAN, and leave the key out.");
    }
    if (!fields.children("vlanTrunk").isEmpty()) {
      throw fields.unsupported(
          "vlanTrunk", "Use a bridge of its own for each VLAN, and leave the key out.");
    }
    for (String key :
        List.of("macspoofchk", "enabledad", "disableContainerInterface", "portIsolation")) {
      if (fields.flag(key)) {
        throw fields.unsupported(key, "Leave the key out, or set it to false.");
      }
    }
    fields.flag("preserveDefaultVlan"); // means nothing without VLANs
    String backend = fields.text("ipMasqBackend", "nftables");
    if (!Set.of("nftables", "iptables").contains(backend)) {
      throw fields.wrong(
          "ipMasqBackend", "is not known", "Leave it out: Sund translates by nf_tables always.");
    }
  }

  private static Map<String, Object> dns(ConfigFields fields) throws CniException {
    fields.refuseOthers(Set.of("nameservers", "domain", "search", "options"));
    Map<String, Object> dns = new LinkedHashMap<>();
    put(dns, "nameservers", fields.texts("nameservers"));
    String domain = fields.text("domain", "");
    if (!domain.isEmpty()) {
      dns.put("domain", domain);
    }
    put(dns, "search", fields.texts("search"));
    put(dns, "options", fields.texts("options"));
    return dns;
  }

  private static void put(Map<String, Object> dns, String key, List<String> values) {
    if (!values.isEmpty()) {
      dns.put(key, values);
    }
  }
}
