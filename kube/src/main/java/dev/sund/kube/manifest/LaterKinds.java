package dev.sund.kube.manifest;

import java.util.Map;

/** Kinds that people count on and that Sund does not carry out yet, and what that means to them. */
final class LaterKinds {
  private static final String POLICY =
      "Sund enforces the policies of networking.k8s.io and policy.networking.k8s.io, and not these";
  private static final String ANNOUNCED = "Sund announces no addresses of Services yet";
  private static final String BGP = "Sund speaks no BGP yet";
  private static final Map<String, String> WHY =
      Map.ofEntries(
          Map.entry("NetworkPolicy.projectcalico.org", POLICY),
          Map.entry("NetworkPolicy.crd.projectcalico.org", POLICY),
          Map.entry("GlobalNetworkPolicy.projectcalico.org", POLICY),
          Map.entry("GlobalNetworkPolicy.crd.projectcalico.org", POLICY),
          Map.entry("CiliumNetworkPolicy.cilium.io", POLICY),
          Map.entry("IPAddressPool.metallb.io", ANNOUNCED),
          Map.entry("L2Advertisement.metallb.io", ANNOUNCED),
          Map.entry("BGPAdvertisement.metallb.io", ANNOUNCED),
          Map.entry("BGPPeer.metallb.io", BGP),
          Map.entry("BGPPeer.projectcalico.org", BGP),
          Map.entry("BGPPeer.crd.projectcalico.org", BGP),
          Map.entry("BGPConfiguration.projectcalico.org", BGP),
          Map.entry("BGPConfiguration.crd.projectcalico.org", BGP),
          Map.entry(
              "FelixConfiguration.projectcalico.org", "Felix's settings have no meaning to it"),
          Map.entry(
              "FelixConfiguration.crd.projectcalico.org",
              "Felix's settings have no meaning to it"));

  private LaterKinds() {}

  /**
   * What is said of objects of this kind.
   *
   * @param kind with its group, such as {@code NetworkPolicy.networking.k8s.io}
   */
  static String said(String kind) {
    String why = WHY.get(kind);
    String said = "objects of the kind " + kind + " are not used";
    return why == null ? said : said + ": " + why;
  }

  /** What to do about them. */
  static String remedy(String kind) {
    return WHY.containsKey(kind) ? "Do not count on them." : "Nothing needs to be done.";
  }
}
