package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Setting;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Whose the connections in the kernel's table are, and where it is going. */
public final class ConnectionChecks {
  private static final String COUNT = "proc/sys/net/netfilter/nf_conntrack_count";
  private static final String MAX = "proc/sys/net/netfilter/nf_conntrack_max";
  private static final String ESTABLISHED =
      "proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established";
  private static final String NONE = "this kernel tracks no connections";
  private static final long DAY = 86_400;

  private ConnectionChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "conntrack-talkers",
            "whose connections fill the table",
            ConnectionChecks::shares,
            ConnectionChecks::talkers),
        new Check<>(
            "conntrack-growth",
            "when the table will be full",
            List.of(COUNT),
            ConnectionChecks::growth,
            ConnectionChecks::soon),
        new Check<>(
            "conntrack-timeouts",
            "how long the table remembers",
            ConnectionChecks::timeouts,
            ConnectionChecks::remembers));
  }

  /** How full the table is, in percent; nothing where there is none. */
  private static OptionalLong percent(Host host) throws UnreadException {
    return host.has(MAX)
        ? OptionalLong.of(host.number(COUNT) * 100 / Math.max(1, host.number(MAX)))
        : OptionalLong.empty();
  }

  /**
   * Shares of the table.
   *
   * @param there whether there is a table
   * @param percent how full it is; the rest is read only when it is half full
   * @param all connections
   * @param unanswered of them
   * @param sources the largest, as {@code ADDRESS COUNT}
   * @param zones the same
   * @param most the share of the largest source, in percent
   */
  record Shares(
      boolean there,
      long percent,
      long all,
      long unanswered,
      List<String> sources,
      List<String> zones,
      long most) {}

  private static Shares shares(Host host) throws UnreadException {
    OptionalLong percent = percent(host);
    if (percent.isEmpty() || percent.getAsLong() < 50) {
      return new Shares(percent.isPresent(), percent.orElse(0), 0, 0, List.of(), List.of(), 0);
    }
    long all = 0;
    long unanswered = 0;
    long most = 0;
    List<String> sources = new ArrayList<>();
    List<String> zones = new ArrayList<>();
    for (Line line : host.lines(Facts.CONNECTIONS)) {
      if (line.has("all")) {
        all = line.number("all");
        unanswered = line.number("unanswered");
      } else if (line.has("zone")) {
        zones.add("%s: %,d".formatted(line.text("zone"), line.number("count")));
      } else if (line.has("source")) {
        sources.add("%s: %,d".formatted(line.text("source"), line.number("count")));
        most = Math.max(most, line.number("count"));
      }
    }
    return new Shares(
        true, percent.getAsLong(), all, unanswered, sources, zones, most * 100 / Math.max(1, all));
  }

  private static Verdict talkers(Shares is) {
    if (!is.there) {
      return new Verdict.NotHere(NONE);
    }
    if (is.percent < 50) {
      return new Verdict.Right("the table is %d %% full: not asked".formatted(is.percent));
    }
    String read =
        "%,d connections, %,d never answered; sources %s; zones %s"
            .formatted(is.all, is.unanswered, is.sources.stream().limit(5).toList(), is.zones);
    if (is.most < 50) {
      return new Verdict.Right(read);
    }
    String first = is.sources.getFirst().replaceFirst(": .*", "");
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                first,
                "%s has %d %% of the connections in a table that is %d %% full: %s."
                    .formatted(first, is.most, is.percent, read),
                "One pod, or one client, takes the place of all: without it the table would do.",
                "kubectl get pods -A -o wide | grep "
                    + first
                    + "; a program that opens a connection a request, or a scan"
                    + (is.unanswered * 2 > is.all ? " (most are not answered)" : ""))));
  }

  /**
   * How fast the table fills.
   *
   * @param there whether there is one
   * @param grew entries in the window
   * @param seconds of the window
   */
  record Growth(boolean there, long count, long max, long grew, double seconds) {}

  private static Growth growth(Host host) throws UnreadException {
    if (!host.has(MAX)) {
      return new Growth(false, 0, 0, 0, 1);
    }
    long now = host.number(COUNT);
    String before = host.before(COUNT);
    if (!before.matches("\\d{1,18}")) {
      throw new UnreadException("/" + COUNT + " said '" + before + "'", "Run the doctor again.");
    }
    return new Growth(
        true, now, host.number(MAX), now - Long.parseLong(before), Math.max(0.1, host.seconds()));
  }

  private static Verdict soon(Growth is) {
    if (!is.there) {
      return new Verdict.NotHere(NONE);
    }
    double rate = is.grew / is.seconds;
    long left = rate <= 0 ? Long.MAX_VALUE : (long) ((is.max - is.count) / rate);
    String read = "%,d of %,d, %+,d in %.1f s".formatted(is.count, is.max, is.grew, is.seconds);
    // A quarter is used by bursts at any time.
    if (left > 600 || is.count * 4 < is.max) {
      return new Verdict.Right(
          read + (rate <= 0 ? ", does not grow" : ", at this rate full in " + inWords(left)));
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                "nf_conntrack",
                "At this rate the table of connections is full in %,d s: %s.".formatted(left, read),
                "From then on new connections time out, of all pods and Services.",
                "conntrack-talkers says whose they are; sysctl -w net.netfilter.nf_conntrack_max="
                    + is.max * 2)));
  }

  private static String inWords(long seconds) {
    if (seconds < 2 * 3_600) {
      return "%,d s".formatted(seconds);
    }
    return seconds < 2 * DAY
        ? "%,d hours".formatted(seconds / 3_600)
        : "%,d days".formatted(seconds / DAY);
  }

  /**
   * How long connections are remembered.
   *
   * @param there whether there is a table
   * @param established in seconds
   */
  record Timeouts(boolean there, long percent, long established) {}

  private static Timeouts timeouts(Host host) throws UnreadException {
    OptionalLong percent = percent(host);
    return percent.isEmpty()
        ? new Timeouts(false, 0, 0)
        : new Timeouts(true, percent.getAsLong(), host.number(ESTABLISHED));
  }

  private static Verdict remembers(Timeouts is) {
    if (!is.there) {
      return new Verdict.NotHere(NONE);
    }
    String read =
        "established connections %,d s; the table is %d %% full"
            .formatted(is.established, is.percent);
    if (is.established <= DAY || is.percent < 50) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            Finding.set(
                Severity.WARNING,
                "net.netfilter.nf_conntrack_tcp_timeout_established",
                "Connections that say nothing are remembered for %,d hours: %s."
                    .formatted(is.established / 3_600, read),
                "Those whose end nobody saw, as of pods that were killed, fill the table.",
                List.of(
                    new Setting.Sysctl(
                        "net/netfilter/nf_conntrack_tcp_timeout_established", 86_400)),
                ", as kube-proxy has it")));
  }
}
