package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.CniRequest;
import dev.sund.agent.cni.CniResult;
import dev.sund.agent.cni.NetworkConfig;
import dev.sund.engine.cluster.MappedContainer.Sources;
import dev.sund.engine.cluster.PortMapping;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A configuration of the plugin {@code portmap}.
 *
 * @param mappings the capability {@code portMappings}
 * @param sources by {@code snat} and {@code masqAll}, whose connections are seen to come from the
 *     node
 */
record PortmapConfig(List<PortMapping> mappings, Sources sources) {
  static final String TYPE = "portmap";

  private static final Set<String> KEYS =
      Set.of(
          "snat",
          "masqAll",
          "markMasqBit",
          "externalSetMarkChain",
          "conditionsV4",
          "conditionsV6",
          "backend");

  /** The packet mark has 32 bits. */
  private static final int MOST_BIT = 31;

  static PortmapConfig parse(CniRequest request) throws CniException {
    NetworkConfig config = request.config();
    ConfigFields fields = new ConfigFields(config.name(), "", config.fields());
    Set<String> known = new HashSet<>(KEYS);
    known.addAll(NetworkConfig.COMMON_KEYS);
    fields.refuseOthers(known);
    for (String key : List.of("conditionsV4", "conditionsV6")) {
      if (!fields.texts(key).isEmpty()) {
        throw fields.unsupported(
            key,
            "Leave it out: Sund has no iptables rules that conditions could be added to. Say at"
                + " which address with the mapping's hostIP, or who may ask with a NetworkPolicy.");
      }
    }
    // Sund marks packets with bits of its own, so these two have nothing to say.
    int bit = fields.number("markMasqBit");
    if (bit < 0 || bit > MOST_BIT) {
      throw fields.wrong(
          "markMasqBit", "is outside of 0 to " + MOST_BIT, "Leave it out: it is without effect.");
    }
    if (fields.has("markMasqBit") && !fields.text("externalSetMarkChain", "").isEmpty()) {
      throw fields.wrong(
          "externalSetMarkChain",
          "cannot be set together with markMasqBit",
          "Leave both out: they are without effect.");
    }
    if (!Set.of("", "iptables", "nftables").contains(fields.text("backend", ""))) {
      throw fields.wrong(
          "backend", "is not known", "Leave it out: Sund translates by nf_tables always.");
    }
    boolean snat = !fields.has("snat") || fields.flag("snat");
    boolean all = fields.flag("masqAll");
    return new PortmapConfig(
        config.runtime().portMappings(), !snat ? Sources.NONE : all ? Sources.ALL : Sources.NEAR);
  }

  /** What the plugin before this one has made. */
  static CniResult previous(CniRequest request) throws CniException {
    return request
        .config()
        .previous()
        .orElseThrow(() ->
            new CniException(
                Code.INTERNAL,
                "Network " + request.config().name() + ", plugin portmap: there is no prevResult.",
                "List the plugin behind the one that makes the container's interface."));
  }
}
