package dev.sund.doctor.filter;

/** With what a captured packet begins. */
public enum LinkForm {
  /** An Ethernet header; tags that the device took off are known apart. */
  ETHERNET,
  /** The IP header: devices of tunnels. */
  IP
}
