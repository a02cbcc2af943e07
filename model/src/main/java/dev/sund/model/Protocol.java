package dev.sund.model;

import java.util.Locale;

/** A transport protocol that a probe, a port or a rule can name. */
public enum Protocol {
  TCP(6),
  UDP(17),
  SCTP(132),
  /** ICMP for IPv4 (1); its number for IPv6 is 58. */
  ICMP(1);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /** The IANA protocol number (for {@link #ICMP} that of IPv4). */
  public int number() {
    return number;
  }

  /**
   * Parses the name in any case.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static Protocol parse(String text) {
    for (Protocol protocol : values()) {
      if (protocol.name().equalsIgnoreCase(text)) {
        return protocol;
      }
    }
    throw new IllegalArgumentException("'" + text + "' is not a protocol: tcp, udp, sctp or icmp");
  }

  /** The name in lower case, as in {@code 5432/tcp}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
