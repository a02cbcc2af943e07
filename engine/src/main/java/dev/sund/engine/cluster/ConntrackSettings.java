package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import java.time.Duration;
import java.util.OptionalInt;

/**
 * How the node's table of connections is to be: {@code conntrack} of KubeProxyConfiguration, with
 * the meaning and the arithmetic that kube-proxy gives it ({@code pkg/proxy/conntrack/sysctls.go}).
 * Zero leaves the kernel's setting as it is.
 *
 * @param maxPerCore connections for each processor, 0 or more; 0 leaves the limit as it is,
 *     whatever {@code min} says
 * @param min the least limit, 0 or more
 * @param tcpEstablished how long an established TCP connection is kept without a packet
 * @param tcpCloseWait how long one of which only one side has closed (S24)
 * @param tcpBeLiberal whether packets outside of a TCP connection's window belong to it; false
 *     leaves the setting as it is
 * @param udp how long UDP that went one way is kept
 * @param udpStream how long UDP that went both ways
 * @param tcpFromStart whether a TCP packet in the middle of a connection that is not in the table
 *     begins none; false leaves the setting as it is. No setting of kube-proxy's
 */
public record ConntrackSettings(
    int maxPerCore,
    int min,
    Duration tcpEstablished,
    Duration tcpCloseWait,
    boolean tcpBeLiberal,
    Duration udp,
    Duration udpStream,
    boolean tcpFromStart) {
  /** What kube-proxy does when it is not told otherwise. */
  public static final ConntrackSettings DEFAULT =
      new ConntrackSettings(
          32 << 10,
          128 << 10,
          Duration.ofHours(24),
          Duration.ofHours(1),
          false,
          Duration.ZERO,
          Duration.ZERO);

  /** All stays as it is. */
  public static final ConntrackSettings AS_IT_IS =
      new ConntrackSettings(
          0, 0, Duration.ZERO, Duration.ZERO, false, Duration.ZERO, Duration.ZERO);

  /** However many processors there are, no more than this by {@code maxPerCore}. */
  private static final int MOST = 1 << 20;

  /** As kube-proxy has it. */
  public ConntrackSettings(
      int maxPerCore,
      int min,
      Duration tcpEstablished,
      Duration tcpCloseWait,
      boolean tcpBeLiberal,
      Duration udp,
      Duration udpStream) {
    this(maxPerCore, min, tcpEstablished, tcpCloseWait, tcpBeLiberal, udp, udpStream, false);
  }

  public ConntrackSettings {
    Checks.range("maxPerCore", maxPerCore, 0, Integer.MAX_VALUE);
    Checks.range("min", min, 0, Integer.MAX_VALUE);
    checkTime("tcpEstablishedTimeout", tcpEstablished);
    checkTime("tcpCloseWaitTimeout", tcpCloseWait);
    checkTime("udpTimeout", udp);
    checkTime("udpStreamTimeout", udpStream);
  }

  private static void checkTime(String name, Duration time) {
    Checks.that(
        !time.isNegative() && time.toSeconds() <= Integer.MAX_VALUE,
        name + " is 0 to " + Integer.MAX_VALUE + " seconds");
  }

  /** The same with TCP from its start alone, or as it is. */
  public ConntrackSettings withTcpFromStart(boolean changed) {
    return new ConntrackSettings(
        maxPerCore, min, tcpEstablished, tcpCloseWait, tcpBeLiberal, udp, udpStream, changed);
  }

  /**
   * The limit of connections; empty when it stays as it is.
   *
   * @param processors of the machine, 1 or more
   */
  public OptionalInt limit(int processors) {
    if (maxPerCore == 0) {
      return OptionalInt.empty();
    }
    long scaled = (long) maxPerCore * processors;
    return OptionalInt.of(scaled > MOST ? MOST : Math.max((int) scaled, min));
  }
}
