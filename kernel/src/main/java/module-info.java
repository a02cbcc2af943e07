/**
 * The only door to the kernel: system calls through the C library, network namespaces, sysctls and
 * netlink, by the JDK's Foreign Function and Memory API. Native access is granted to this module
 * alone.
 */
module dev.sund.kernel {
  requires transitive dev.sund.model;
  requires static org.jspecify;

  exports dev.sund.kernel;
  exports dev.sund.kernel.conntrack;
  exports dev.sund.kernel.ipvs;
  exports dev.sund.kernel.netlink;
  exports dev.sund.kernel.nflog;
  exports dev.sund.kernel.nft;
  exports dev.sund.kernel.packet;
  exports dev.sund.kernel.socket;
  exports dev.sund.kernel.route;
  exports dev.sund.kernel.xtables;
}
