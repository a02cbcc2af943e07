package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Counters;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Setting;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The kernel's table of connections: whether it is full, whether it loses some, and whether its
 * size suits the machine. kernel: Documentation/networking/nf_conntrack-sysctl.rst.
 */
public final class ConntrackChecks {
  private static final String COUNT = "proc/sys/net/netfilter/nf_conntrack_count";
  private static final String MAX = "proc/sys/net/netfilter/nf_conntrack_max";
  private static final String BUCKETS = "proc/sys/net/netfilter/nf_conntrack_buckets";
  private static final String STAT = "proc/net/stat/nf_conntrack";
  private static final String NONE = "this kernel tracks no connections";

  /** What an entry takes with its extensions, in bytes. */
  private static final long ENTRY_BYTES = 400;

  /** What kube-proxy asks for: conntrack.maxPerCore and conntrack.min. */
  private static final long PER_CORE = 32_768;

  private static final long LEAST = 131_072;

  private ConntrackChecks() {}

  /**
   * The table.
   *
   * @param cores processors of the machine
   * @param memory in bytes
   */
  record Table(long count, long max, long buckets, long cores, long memory) {
    /** The size that suits the machine: kube-proxy's, and never an eighth of its memory. */
    long suited() {
      long wanted = Math.max(PER_CORE * cores, LEAST);
      long bearable = Long.highestOneBit(memory / 8 / ENTRY_BYTES);
      return Math.min(wanted, bearable);
    }

    /**
     * The size that it should have: the suited one where it is smaller or more than the machine
     * bears, twice as much as now where it is nearly full, while a quarter of the memory bears
     * that.
     */
    long wanted() {
      if (percent() >= 80) {
        long most = Long.highestOneBit(memory / 4 / ENTRY_BYTES);
        return Math.max(max, Math.min(Math.max(suited(), max * 2), most));
      }
      return max < suited() || isTooLarge() ? suited() : max;
    }

    boolean isTooLarge() {
      return max * ENTRY_BYTES > memory / 4;
    }

    /** Its size, where that is to be another. */
    List<Setting> resize() {
      return wanted() == max
          ? List.of()
          : List.of(new Setting.Sysctl("net/netfilter/nf_conntrack_max", wanted()));
    }

    long percent() {
      return count * 100 / Math.max(max, 1);
    }
  }

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "conntrack-full",
            "room in the table of connections",
            ConntrackChecks::table,
            ConntrackChecks::full),
        new Check<>(
            "conntrack-losses",
            "connections that the table lost",
            List.of(STAT),
            ConntrackChecks::losses,
            ConntrackChecks::lost),
        new Check<>(
            "conntrack-size",
            "the table's size for this machine",
            ConntrackChecks::table,
            ConntrackChecks::size),
        new Check<>(
            "conntrack-buckets",
            "how long the table's chains become",
            ConntrackChecks::table,
            ConntrackChecks::buckets));
  }

  private static Optional<Table> table(Host host) throws UnreadException {
    if (!host.has(MAX)) {
      return Optional.empty();
    }
    return Optional.of(
        new Table(
            host.number(COUNT),
            host.number(MAX),
            host.number(BUCKETS),
            Machine.cores(host),
            Machine.memory(host)));
  }

  private static Verdict full(Optional<Table> found) {
    if (found.isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    Table table = found.get();
    String read =
        "%,d of %,d connections, %d %%".formatted(table.count, table.max, table.percent());
    if (table.percent() < 80) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                table.percent() >= 95 ? Severity.ERROR : Severity.WARNING,
                "nf_conntrack",
                "The table of connections has " + read + ".",
                "A full table drops every packet of a new connection, of Services and of pods"
                    + " alike, and the sender sees a timeout.",
                table.resize().isEmpty()
                    ? "The memory bears no larger one: conntrack-talkers says whose they are;"
                        + " shorter net.netfilter.nf_conntrack_tcp_timeout_established"
                    : "sysctl -w net.netfilter.nf_conntrack_max=" + table.wanted(),
                table.resize())));
  }

  private static Optional<Sampled> losses(Host host) throws UnreadException {
    if (!host.has(MAX)) {
      return Optional.empty();
    }
    return Optional.of(
        new Sampled(
            Counters.ofProcessors(STAT, host.before(STAT)),
            Counters.ofProcessors(STAT, host.text(STAT)),
            host.seconds(),
            Machine.uptime(host)));
  }

  private static Verdict lost(Optional<Sampled> found) {
    if (found.isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    Sampled stat = found.get();
    List<Finding> findings = new ArrayList<>();
    for (String name : List.of("drop", "early_drop")) {
      stat.severity(name, 1)
          .ifPresent(severity ->
              findings.add(
                  new Finding(
                      severity,
                      "nf_conntrack " + name,
                      "Connections were lost for want of room: " + stat.said(name) + ".",
                      name.equals("drop")
                          ? "Packets of new connections were dropped, since the table was full."
                          : "Begun connections were thrown out to make room for new ones.",
                      "sysctl -w net.netfilter.nf_conntrack_max=N, with N as conntrack-size says; shorter"
                          + " net.netfilter.nf_conntrack_tcp_timeout_established")));
    }
    if (stat.severity("insert_failed", 1).isPresent()) {
      findings.add(
          new Finding(
              stat.grew("insert_failed") > 0 ? Severity.WARNING : Severity.NOTE,
              "nf_conntrack insert_failed",
              "Two packets of one flow raced for its entry: " + stat.said("insert_failed") + ".",
              "Two DNS queries sent at once by one socket are translated each by itself, and one of"
                  + " them is dropped: names resolve after 5 seconds, now and then.",
              "Let UDP Services choose by hash of the client (Sund does), run a DNS cache on each"
                  + " node, or set single-request-reopen in the pods' dnsConfig"));
    }
    return Verdict.of(
        findings,
        "drop "
            + stat.said("drop")
            + "; early_drop "
            + stat.now().get("early_drop")
            + "; insert_failed "
            + stat.now().get("insert_failed"));
  }

  private static Verdict size(Optional<Table> found) {
    if (found.isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    Table table = found.get();
    long suited = table.suited();
    String read =
        "%,d entries (%,d MB when full) for %d processors and %,d MB of memory; suited: %,d"
            .formatted(
                table.max, table.max * ENTRY_BYTES >> 20, table.cores, table.memory >> 20, suited);
    if (table.isTooLarge()) {
      return new Verdict.Wrong(
          List.of(
              new Finding(
                  Severity.WARNING,
                  "net.netfilter.nf_conntrack_max",
                  "The table of connections may grow to more than a quarter of the memory: "
                      + read
                      + ".",
                  "Kernel memory cannot be swapped: a flood of connections ends processes instead"
                      + " of being refused.",
                  "sysctl -w net.netfilter.nf_conntrack_max=" + suited,
                  table.resize())));
    }
    if (table.max < suited) {
      return new Verdict.Wrong(
          List.of(
              new Finding(
                  table.percent() >= 50 ? Severity.WARNING : Severity.NOTE,
                  "net.netfilter.nf_conntrack_max",
                  "The table of connections is small for this machine: " + read + ".",
                  "It is the node's limit for all pods and Services together; beyond it new"
                      + " connections time out.",
                  "sysctl -w net.netfilter.nf_conntrack_max=" + table.wanted(),
                  table.resize())));
    }
    return new Verdict.Right(read);
  }

  private static Verdict buckets(Optional<Table> found) {
    if (found.isEmpty()) {
      return new Verdict.NotHere(NONE);
    }
    Table table = found.get();
    long chain = table.max / Math.max(table.buckets, 1);
    String read = "%,d entries in %,d buckets".formatted(table.max, table.buckets);
    if (chain <= 8) {
      return new Verdict.Right(read);
    }
    return new Verdict.Wrong(
        List.of(
            Finding.set(
                Severity.WARNING,
                "net.netfilter.nf_conntrack_buckets",
                "When it is full, %d connections share a bucket: %s.".formatted(chain, read),
                "Each packet looks through the chain of its bucket, so that all become slower as"
                    + " the table fills.",
                List.of(
                    new Setting.Sysctl(
                        "net/netfilter/nf_conntrack_buckets", wholePages(table.wanted() / 4))),
                ", as the kernel itself chooses them: a quarter")));
  }

  /**
   * The kernel rounds up to whole pages of 8 bytes each, of at most 64 KiB: so nothing is rounded.
   */
  private static long wholePages(long buckets) {
    return Math.ceilDiv(buckets, 8_192) * 8_192;
  }
}
