package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.CNI;
import static dev.sund.doctor.RecordedNode.FACTS;

import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** The cases of the network plugin's configuration. */
final class CniCases {
  private static final String RULES = FACTS + Facts.RULES;
  private static final String BRIDGE =
      """
      {"cniVersion": "0.4.0", "name": "dbnet", "type": "bridge", "bridge": "cni0",
       "isGateway": true, "ipMasq": true, "hairpinMode": true,
       "ipam": {"type": "host-local", "subnet": "10.1.0.0/29", "routes": [{"dst": "0.0.0.0/0"}]}}
      """;

  private CniCases() {}

  private static UnaryOperator<RecordedNode> bridge(String old, String other) {
    return node -> node.with(CNI, BRIDGE.replace(old, other));
  }

  private static RecordedNode given(RecordedNode node, String... addresses) {
    RecordedNode with = node.with(CNI, BRIDGE);
    for (String address : addresses) {
      with = with.with("var/lib/cni/networks/dbnet/" + address, "0123abcd\r\neth0");
    }
    return with;
  }

  static Stream<CheckCase> all() {
    return Stream.of(
        new CheckCase(
            "cni-config",
            node ->
                node.with(
                    CNI,
                    "{\"name\": \"x\", \"cniVersion\": \"1.0.0\", \"plugins\":"
                        + " [{\"type\": \"portmap\"}, {\"type\": \"bridge\"}]}"),
            Severity.ERROR,
            "portmap is first",
            bridge("", ""),
            CNI,
            node -> // Cilium behind another plugin
            node.with(
                    CNI,
                    "{\"name\": \"x\", \"cniVersion\": \"0.3.1\", \"plugins\":"
                        + " [{\"type\": \"calico\"}, {\"type\": \"cilium-cni\"}]}")),
        new CheckCase(
            "cni-plugins",
            node -> node.without("opt/cni/bin/portmap"),
            Severity.ERROR,
            "portmap",
            node -> node.with("opt/cni/bin/portmap", ""),
            CNI,
            node -> // where containerd was told to look
            node.without("opt/cni/bin")
                    .with("etc/containerd/config.toml", "  bin_dir = \"/usr/lib/cni\"")
                    .with("usr/lib/cni/flannel", "")
                    .with("usr/lib/cni/bridge", "")
                    .with("usr/lib/cni/host-local", "")
                    .with("usr/lib/cni/portmap", "")),
        new CheckCase(
            "cni-two",
            node -> node.with("etc/cni/net.d/87-podman-bridge.conflist", BRIDGE),
            Severity.WARNING,
            "10-flannel.conflist, 87-podman-bridge.conflist",
            node -> node.without("etc/cni/net.d/87-podman-bridge.conflist"),
            CNI,
            node -> // every runtime has a loopback device
            node.with(
                    "etc/cni/net.d/99-loopback.conf",
                    "{\"name\": \"lo\", \"cniVersion\": \"0.3.1\", \"type\": \"loopback\"}")),
        new CheckCase(
            "cni-hairpin",
            bridge("\"hairpinMode\": true,", ""),
            Severity.WARNING,
            "the plugin bridge has no hairpinMode",
            bridge("", ""),
            CNI,
            bridge("\"hairpinMode\": true", "\"promiscMode\": true")),
        new CheckCase(
            "cni-masquerade",
            node ->
                bridge("\"ipMasq\": true", "\"ipMasq\": false")
                    .apply(node)
                    .with(
                        RULES, "tool=nft family=ip table=nat chain=KUBE-POSTROUTING masquerades=1"),
            Severity.WARNING,
            "bridge has no ipMasq",
            bridge("", ""),
            RULES,
            bridge("\"ipMasq\": true", "\"ipMasq\": false")), // another rule does it
        new CheckCase(
            "cni-addresses",
            node -> given(node, "10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.6"),
            Severity.ERROR,
            "5 of 5 addresses given, 5 of them to pods that are gone",
            node -> node.without("var/lib/cni/networks/dbnet"),
            FACTS + Facts.PODS,
            node -> given(node, "10.1.0.2", "10.1.0.3"))); // two that come just now
  }
}
