package dev.sund.kernel;

/** A capability of capabilities(7) that an operation of this module needs. */
public enum Capability {
  /** Links, addresses, routes, nf_tables, most of /proc/sys/net. */
  NET_ADMIN("CAP_NET_ADMIN"),
  /** Entering, making and mounting network namespaces. */
  SYS_ADMIN("CAP_SYS_ADMIN"),
  /** Packet and raw sockets. */
  NET_RAW("CAP_NET_RAW"),
  /** Ports below net.ipv4.ip_unprivileged_port_start. */
  NET_BIND_SERVICE("CAP_NET_BIND_SERVICE"),
  /** Files of other users. */
  DAC_OVERRIDE("CAP_DAC_OVERRIDE");

  private final String label;

  Capability(String label) {
    this.label = label;
  }

  /** The name as capabilities(7) has it, such as {@code CAP_NET_ADMIN}. */
  public String label() {
    return label;
  }
}
