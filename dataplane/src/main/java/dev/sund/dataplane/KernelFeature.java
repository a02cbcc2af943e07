package dev.sund.dataplane;

import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Sund needs of a kernel and not every Linux has: the first release with it, and how it is
 * called in a kernel's configuration. Distributions bring some of it into older releases, so a
 * release alone refuses nothing; it explains what a kernel has refused.
 */
public enum KernelFeature {
  /** Tunnels by VXLAN; over IPv6 since this release. */
  VXLAN("VXLAN devices", 3, 12, "CONFIG_VXLAN", "vxlan"),

  /** Tunnels by IPIP. */
  IPIP("IPIP devices", 2, 6, "CONFIG_NET_IPIP", "ipip"),

  /** Bridged packets that nf_tables sees, for pods on bridges. */
  BRIDGE_FILTER("bridge netfilter as a module", 3, 18, "CONFIG_BRIDGE_NETFILTER", "br_netfilter"),

  /** Error texts of the kernel, and lists of one device's entries alone. */
  STRICT_NETLINK("checked netlink requests", 4, 20, "", ""),

  /** Translation of IPv4 and IPv6 in one table. */
  NFT_INET_NAT(
      "address translation in nf_tables' family inet",
      5,
      2,
      "CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT and CONFIG_NFT_MASQ",
      "-a nft_nat nft_masq"),

  /** By which Sund tells its own from others'. */
  NFT_COMMENTS("comments of nf_tables' tables and chains", 5, 10, "CONFIG_NF_TABLES", "nf_tables");

  private static final Pattern RELEASE = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})");

  private final String what;
  private final int major;
  private final int minor;
  private final String configuration;
  private final String module;

  KernelFeature(String what, int major, int minor, String configuration, String module) {
    this.what = what;
    this.major = major;
    this.minor = minor;
    this.configuration = configuration;
    this.module = module;
  }

  /** The first release that has it, such as {@code 5.10}. */
  public String since() {
    return major + "." + minor;
  }

  /** The feature and the first release with it, as part of a sentence. */
  @Override
  public String toString() {
    return what + " (Linux " + since() + ")";
  }

  /**
   * The features that a kernel of this release has only if somebody brought them in.
   *
   * @param release as {@code uname -r} has it; of one that cannot be read nothing is said
   */
  public static List<KernelFeature> youngerThan(String release) {
    Matcher matcher = RELEASE.matcher(release);
    if (!matcher.lookingAt()) {
      return List.of();
    }
    int ofMajor = Integer.parseInt(matcher.group(1));
    int ofMinor = Integer.parseInt(matcher.group(2));
    return Arrays.stream(values())
        .filter(feature ->
            feature.major > ofMajor || (feature.major == ofMajor && feature.minor > ofMinor))
        .toList();
  }

  /** What an object of Sund's needs most; empty when every kernel can make it. */
  static Optional<KernelFeature> of(ObjectRef object) {
    String name = object.name();
    if (name.contains(Marks.VXLAN_V4) || name.contains(Marks.VXLAN_V6)) {
      return Optional.of(VXLAN);
    }
    if (name.contains(Marks.IPIP_V4)) {
      return Optional.of(IPIP);
    }
    return object.kind().startsWith("nft ") ? Optional.of(NFT_INET_NAT) : Optional.empty();
  }

  /** What to do where a kernel does not have it. */
  public String remedy() {
    String load = module.isEmpty() ? "" : "Load the module (modprobe " + module + "), or run ";
    return (load.isEmpty() ? "Run " : load)
        + "Linux "
        + since()
        + " or later"
        + (configuration.isEmpty() ? "." : " with " + configuration + ".");
  }
}
