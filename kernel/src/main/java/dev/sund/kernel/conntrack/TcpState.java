package dev.sund.kernel.conntrack;

import java.util.Optional;

/** Where a TCP connection stands in the kernel's table; the order is the kernel's. */
public enum TcpState {
  NONE,
  SYN_SENT,
  SYN_RECV,
  ESTABLISHED,
  FIN_WAIT,
  CLOSE_WAIT,
  LAST_ACK,
  TIME_WAIT,
  CLOSE,
  SYN_SENT2;

  static Optional<TcpState> of(int number) {
    return number < values().length ? Optional.of(values()[number]) : Optional.empty();
  }
}
