package dev.sund.doctor.losses;

import dev.sund.doctor.Counters;
import dev.sund.doctor.UnreadException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One reading of all counters. What a kernel does not have is left out; what cannot be understood
 * is said.
 *
 * @see <a href="https://docs.kernel.org/networking/snmp_counter.html">the kernel's counters</a>
 */
public final class LossCounters {
  private static final Map<String, Kind> KINDS = kinds();
  private static final Map<String, Kind> OF_DEVICES =
      Map.of(
          "rx-errors", new Kind(LossWeight.LOSS, "frames that came damaged"),
          "rx-drops", new Kind(LossWeight.LOSS, "came and found no room, or nobody listens to it"),
          "rx-overruns", new Kind(LossWeight.LOSS, "the device's ring was full"),
          "tx-errors", new Kind(LossWeight.LOSS, "could not be sent"),
          "tx-drops", new Kind(LossWeight.LOSS, "dropped on the way out: queue, or no peer"));

  private final Map<String, Long> values;

  /** What growth of a counter means. */
  private record Kind(LossWeight weight, String means) {}

  /** Where files are read from. */
  @FunctionalInterface
  public interface Files {
    /**
     * A file's text; nothing when this kernel has none.
     *
     * @param path without the leading slash, such as {@code proc/net/snmp}
     * @throws UnreadException when it is there and cannot be read
     */
    Optional<String> text(String path) throws UnreadException;
  }

  private LossCounters(Map<String, Long> values) {
    this.values = values;
  }

  /**
   * Reads them.
   *
   * @param node whether counters of the machine are wanted, too, which are no namespace's
   * @throws UnreadException when a file cannot be read or understood
   */
  public static LossCounters read(Files files, boolean node) throws UnreadException {
    Map<String, Long> values = new LinkedHashMap<>();
    for (String path : List.of("proc/net/snmp", "proc/net/netstat")) {
      Optional<String> text = files.text(path);
      if (text.isPresent()) {
        values.putAll(Counters.ofPairs(path, text.get()).values());
      }
    }
    files.text("proc/net/snmp6").ifPresent(text -> lines(text, values));
    prefixed(files, "proc/net/stat/nf_conntrack", "conntrack.", values);
    if (node) {
      prefixed(files, "proc/net/stat/arp_cache", "arp.", values);
      prefixed(files, "proc/net/stat/ndisc_cache", "ndisc.", values);
      softnet(files, values);
    }
    Optional<String> devices = files.text("proc/net/dev");
    if (devices.isPresent()) {
      devices(devices.get(), values);
    }
    return new LossCounters(values);
  }

  /** The same with counters from elsewhere: packets that policies dropped. */
  public LossCounters with(Map<String, Long> more) {
    Map<String, Long> all = new LinkedHashMap<>(values);
    all.putAll(more);
    return new LossCounters(all);
  }

  /**
   * What has happened since an earlier reading, the worst first: losses by their rate, then what
   * strains, then the rest, then what stands still by its total.
   *
   * @param seconds between the two, above 0
   */
  public List<LossRow> since(LossCounters earlier, double seconds) {
    List<LossRow> rows = new ArrayList<>();
    values.forEach((name, total) -> {
      Kind kind = kind(name);
      if (kind != null) {
        long grew = Math.max(0, total - earlier.values.getOrDefault(name, total));
        rows.add(new LossRow(name, kind.weight(), kind.means(), total, grew, seconds));
      }
    });
    rows.sort(
        Comparator.comparing((LossRow row) -> row.grew() == 0)
            .thenComparing(LossRow::weight)
            .thenComparing(Comparator.comparingLong(LossRow::grew).reversed())
            .thenComparing(Comparator.comparingLong(LossRow::total).reversed())
            .thenComparing(LossRow::name));
    return rows;
  }

  private static @org.jspecify.annotations.Nullable Kind kind(String name) {
    if (name.startsWith("policy ")) {
      return new Kind(LossWeight.NOTE, "dropped by Sund's policies, as they say: sund drops");
    }
    int blank = name.indexOf(' ');
    return blank < 0 ? KINDS.get(name) : OF_DEVICES.get(name.substring(blank + 1));
  }

  private static void lines(String text, Map<String, Long> values) {
    for (String line : text.split("\n", -1)) {
      String[] words = line.strip().split("\\s+");
      if (words.length == 2 && words[1].matches("[0-9]{1,18}")) {
        values.put(words[0], Long.parseLong(words[1]));
      }
    }
  }

  private static void prefixed(Files files, String path, String prefix, Map<String, Long> values)
      throws UnreadException {
    Optional<String> text = files.text(path);
    if (text.isPresent() && !text.get().isEmpty()) {
      Counters.ofProcessors(path, text.get())
          .values()
          .forEach((name, value) -> values.put(prefix + name, value));
    }
  }

  private static void softnet(Files files, Map<String, Long> values) throws UnreadException {
    Optional<String> text = files.text("proc/net/softnet_stat");
    if (text.isEmpty()) {
      return;
    }
    for (String line : text.get().split("\n", -1)) {
      String[] words = line.strip().split("\\s+");
      if (words.length >= 3
          && words[1].matches("[0-9a-f]{1,8}")
          && words[2].matches("[0-9a-f]{1,8}")) {
        values.merge("softnet.dropped", Long.parseLong(words[1], 16), Long::sum);
        values.merge("softnet.squeezed", Long.parseLong(words[2], 16), Long::sum);
      }
    }
  }

  /** Receive: bytes packets errs drop fifo frame ...; transmit the same, from the ninth on. */
  private static void devices(String text, Map<String, Long> values) throws UnreadException {
    String[] names = {"rx-errors", "rx-drops", "rx-overruns", "tx-errors", "tx-drops"};
    int[] columns = {2, 3, 4, 10, 11};
    for (String line : text.lines().skip(2).toList()) {
      int colon = line.indexOf(':');
      String[] words = line.substring(colon + 1).strip().split("\\s+");
      if (colon < 0 || words.length < 16 || !String.join("", words).matches("[0-9]+")) {
        throw new UnreadException(
            "/proc/net/dev has the line '" + line + "', which is not understood",
            "Report it with the kernel's version.");
      }
      String device = line.substring(0, colon).strip();
      for (int i = 0; i < names.length; i++) {
        values.put(device + " " + names[i], Long.parseLong(words[columns[i]]));
      }
    }
  }

  private static Map<String, Kind> kinds() {
    Map<String, Kind> kinds = new LinkedHashMap<>();
    String text =
        """
        LOSS conntrack.drop: new connections: the table was full
        LOSS conntrack.insert_failed: lost a race for an entry, as two DNS questions at once do
        STRAIN conntrack.early_drop: old connections forgotten to make room
        NOTE conntrack.invalid: belongs to no connection that is known
        STRAIN conntrack.search_restart: looked up again: too few buckets
        LOSS arp.table_fulls: neighbours (IPv4) that found no room: gc_thresh3
        LOSS ndisc.table_fulls: neighbours (IPv6) that found no room: gc_thresh3
        LOSS arp.unresolved_discards: waited in vain for a neighbour's answer
        LOSS ndisc.unresolved_discards: waited in vain for a neighbour's answer
        LOSS softnet.dropped: a processor's queue of received packets was full
        STRAIN softnet.squeezed: receiving broken off with packets left
        LOSS TcpExt.ListenOverflows: connections that a full accept queue refused
        LOSS TcpExt.ListenDrops: connections dropped before they were accepted
        LOSS TcpExt.TCPReqQFullDrop: SYNs that found no room
        STRAIN TcpExt.TCPReqQFullDoCookies: SYNs answered by cookies: no room
        LOSS TcpExt.TCPBacklogDrop: a busy socket's backlog was full
        LOSS TcpExt.TCPRcvQDrop: a socket's receive queue was full
        LOSS TcpExt.TCPZeroWindowDrop: sent into a window that was shut
        LOSS TcpExt.RcvPruned: thrown away after receipt: no memory for the socket
        STRAIN TcpExt.PruneCalled: a socket's receive queue was squeezed together
        LOSS TcpExt.PFMemallocDrop: dropped for want of memory
        LOSS TcpExt.TCPAbortOnMemory: connections given up for want of memory
        LOSS TcpExt.TCPAbortOnTimeout: connections given up: the peer was silent
        STRAIN TcpExt.TCPMemoryPressures: all of TCP was short of memory
        STRAIN TcpExt.TCPTimeouts: nothing came back in time
        STRAIN TcpExt.TCPSynRetrans: SYNs sent again: no answer
        LOSS TcpExt.IPReversePathFilter: refused by rp_filter: the way back is another
        STRAIN Tcp.RetransSegs: segments sent again
        LOSS Tcp.InErrs: segments that came damaged
        NOTE Tcp.AttemptFails: connections that were refused or never made
        NOTE Tcp.EstabResets: connections ended by a reset
        LOSS Udp.RcvbufErrors: a socket's receive buffer was full
        LOSS Udp.SndbufErrors: a socket's send buffer was full
        LOSS Udp.InCsumErrors: a checksum was wrong
        LOSS Udp.MemErrors: dropped for want of memory
        NOTE Udp.NoPorts: to a port that nobody listens on
        LOSS Ip.InDiscards: dropped on arrival, though nothing was wrong with it
        LOSS Ip.OutDiscards: dropped on departure, though nothing was wrong with it
        LOSS Ip.OutNoRoutes: no route to it
        LOSS Ip.InAddrErrors: to an address that is not ours, and not forwarded
        LOSS Ip.InHdrErrors: a header was wrong, or it had been on its way too long
        LOSS Ip.FragFails: larger than the way, and not to be cut: MTU
        STRAIN Ip.FragCreates: cut to pieces: MTU
        LOSS Ip.ReasmFails: pieces that never became whole
        LOSS IpExt.InNoRoutes: came, and there is no route on
        LOSS IpExt.InTruncatedPkts: shorter than its header says
        LOSS IpExt.InCsumErrors: a checksum was wrong
        LOSS Ip6InDiscards: dropped on arrival, though nothing was wrong with it
        LOSS Ip6OutDiscards: dropped on departure, though nothing was wrong with it
        LOSS Ip6OutNoRoutes: no route to it
        LOSS Ip6InNoRoutes: came, and there is no route on
        LOSS Ip6InAddrErrors: to an address that is not ours, and not forwarded
        LOSS Ip6InHdrErrors: a header was wrong, or it had been on its way too long
        LOSS Ip6InTooBigErrors: larger than the way: MTU
        LOSS Ip6FragFails: larger than the way: MTU
        STRAIN Ip6FragCreates: cut to pieces: MTU
        LOSS Ip6ReasmFails: pieces that never became whole
        LOSS Udp6RcvbufErrors: a socket's receive buffer was full
        LOSS Udp6SndbufErrors: a socket's send buffer was full
        LOSS Udp6InCsumErrors: a checksum was wrong
        NOTE Udp6NoPorts: to a port that nobody listens on
        """;
    for (String line : text.strip().split("\n", -1)) {
      int blank = line.indexOf(' ');
      int colon = line.indexOf(": ");
      kinds.put(
          line.substring(blank + 1, colon),
          new Kind(LossWeight.valueOf(line.substring(0, blank)), line.substring(colon + 2)));
    }
    return kinds;
  }
}
