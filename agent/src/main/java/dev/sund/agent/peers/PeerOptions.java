package dev.sund.agent.peers;

import dev.sund.model.Checks;
import java.time.Duration;

/**
 * How other nodes are measured.
 *
 * @param port the UDP port at which all agents of a cluster answer; 0 for no measuring and no port
 * @param most how many nodes one measures at most
 * @param interval from one datagram to a peer to the next
 * @param limits from when on a way is said to be bad
 */
public record PeerOptions(int port, int most, Duration interval, PeerLimits limits) {
  /** The port unless told otherwise. */
  public static final int DEFAULT_PORT = 9471;

  /** How many nodes one measures unless told otherwise. */
  public static final int DEFAULT_MOST = 8;

  /** One a second: sixty in the window, of which a lost one is 1.7 %. */
  public static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(1);

  /** Nobody is measured, and no port is open. */
  public static final PeerOptions OFF =
      new PeerOptions(0, DEFAULT_MOST, DEFAULT_INTERVAL, PeerLimits.DEFAULT);

  /** As usual. */
  public static final PeerOptions DEFAULT =
      new PeerOptions(DEFAULT_PORT, DEFAULT_MOST, DEFAULT_INTERVAL, PeerLimits.DEFAULT);

  public PeerOptions {
    Checks.range("peer port", port, 0, 65535);
    Checks.range("number of peers", most, 0, 64);
    if (interval.compareTo(Duration.ofMillis(10)) < 0) {
      throw new IllegalArgumentException(interval + " between datagrams is less than 10 ms");
    }
  }

  /** Whether there is anything to do. */
  public boolean on() {
    return port != 0;
  }
}
