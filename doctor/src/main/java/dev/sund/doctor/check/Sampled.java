package dev.sund.doctor.check;

import dev.sund.doctor.Counters;
import dev.sund.doctor.Host;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import java.util.Optional;

/**
 * Counters at the two ends of the window.
 *
 * @param before at its beginning
 * @param now at its end
 * @param seconds between the two
 * @param uptime of the machine, in seconds
 */
record Sampled(Counters before, Counters now, double seconds, double uptime) {
  static final String SNMP = "proc/net/snmp";
  static final String SNMP6 = "proc/net/snmp6";
  static final String NETSTAT = "proc/net/netstat";

  /** A file of pairs of lines, as {@link Counters#ofPairs} reads it. */
  static Sampled pairs(Host host, String path) throws UnreadException {
    return new Sampled(
        Counters.ofPairs(path, host.before(path)),
        Counters.ofPairs(path, host.text(path)),
        host.seconds(),
        Machine.uptime(host));
  }

  /** IPv4's counters, and IPv6's where the kernel has it: {@code Ip.FragFails, Ip6FragFails}. */
  static Sampled bothFamilies(Host host) throws UnreadException {
    Sampled four = pairs(host, SNMP);
    Optional<String> six = host.textIfThere(SNMP6);
    return six.isEmpty()
        ? four
        : new Sampled(
            four.before.and(Counters.ofLines(SNMP6, host.before(SNMP6))),
            four.now.and(Counters.ofLines(SNMP6, six.get())),
            four.seconds,
            four.uptime);
  }

  /** By how much a counter grew. */
  long grew(String name) {
    return now.since(before, name);
  }

  /** How often an hour it counted since the machine started. */
  double hourly(String name) {
    return now.get(name) / Math.max(uptime / 3_600, 1.0 / 60);
  }

  /**
   * How bad losses of this kind are: an error when there were some in the window, a note when there
   * are that many an hour since the start. These may all be of one bad minute long ago, of which no
   * node is to be warned for ever.
   */
  Optional<Severity> severity(String name, double often) {
    if (grew(name) > 0) {
      return Optional.of(Severity.ERROR);
    }
    return hourly(name) >= often ? Optional.of(Severity.NOTE) : Optional.empty();
  }

  /** What happened, for people: in the window and since the start. */
  String said(String name) {
    String text =
        "%,d in %.1f s, %,d since the start".formatted(grew(name), seconds, now.get(name));
    return grew(name) == 0 && hourly(name) >= 1
        ? text + " (%,.0f an hour: long ago, or now and then)".formatted(hourly(name))
        : text;
  }
}
