package dev.sund.dataplane;

import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.kernel.Sysctl;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Which settings the kernel's table of connections needs, given those it has: a pure function, as
 * {@link SysctlPlan}. What the kernel does not have, since its conntrack is not there (yet), is not
 * needed.
 *
 * <p>The limit and the size of the hash table are the machine's: other namespaces than its first
 * can read them only. The timeouts are each namespace's own.
 *
 * @param settings what is asked
 * @param processors of the machine, 1 or more
 */
record ConntrackPlan(ConntrackSettings settings, int processors) {
  /** Changes nothing. */
  static final ConntrackPlan NONE = new ConntrackPlan(ConntrackSettings.AS_IT_IS, 1);

  static final Sysctl LIMIT = of("max");
  static final Sysctl BUCKETS = of("buckets");
  private static final Sysctl ESTABLISHED = of("tcp_timeout_established");
  private static final Sysctl CLOSE_WAIT = of("tcp_timeout_close_wait");
  private static final Sysctl BE_LIBERAL = of("tcp_be_liberal");
  private static final Sysctl UDP = of("udp_timeout");
  private static final Sysctl UDP_STREAM = of("udp_timeout_stream");

  /** 0: a TCP connection begins with its first packet, and not in the middle. */
  static final Sysctl LOOSE = of("tcp_loose");

  /** As kube-proxy and the kernel's own sizing have it: so many connections share a bucket. */
  private static final int CONNECTIONS_A_BUCKET = 4;

  private static final Path ONLINE = Path.of("/sys/devices/system/cpu/online");

  /** Whether a setting is of the whole machine. */
  static boolean isOfTheMachine(Sysctl setting) {
    return setting.equals(LIMIT) || setting.equals(BUCKETS);
  }

  /**
   * How many processors the machine has that run: not how many a container may use, as the JVM
   * counts them.
   */
  static int processorsOfTheMachine() {
    try {
      return count(Files.readString(ONLINE, StandardCharsets.US_ASCII).strip());
    } catch (IOException | NumberFormatException _) {
      return Runtime.getRuntime().availableProcessors();
    }
  }

  /** How many a list such as {@code 0-3,8} has. */
  static int count(String list) {
    int count = 0;
    for (String range : list.split(",", -1)) {
      String[] ends = range.split("-", 2);
      count += Integer.parseInt(ends[ends.length - 1]) - Integer.parseInt(ends[0]) + 1;
    }
    return Math.max(1, count);
  }

  /** Whether nothing is asked. */
  boolean isEmpty() {
    return settings.equals(ConntrackSettings.AS_IT_IS);
  }

  /** What has to be read to know what is needed. */
  List<Sysctl> inputs() {
    return isEmpty()
        ? List.of()
        : List.of(LIMIT, BUCKETS, ESTABLISHED, CLOSE_WAIT, BE_LIBERAL, LOOSE, UDP, UDP_STREAM);
  }

  /** Whether the kernel has conntrack, by what was read. */
  boolean isKnown(Map<Sysctl, String> values) {
    return isEmpty() || values.containsKey(LIMIT);
  }

  /**
   * The settings that are needed, in the order of writing.
   *
   * @param values what the inputs are now; missing ones do not exist
   * @param machine whether the machine's own can be set
   */
  Map<Sysctl, String> needed(Map<Sysctl, String> values, boolean machine) {
    Map<Sysctl, String> needed = new LinkedHashMap<>();
    OptionalInt limit = settings.limit(processors);
    if (machine && limit.isPresent()) {
      int buckets = limit.getAsInt() / CONNECTIONS_A_BUCKET;
      needed.put(LIMIT, Integer.toString(limit.getAsInt()));
      if (number(values.get(BUCKETS)) < buckets) {
        needed.put(BUCKETS, Integer.toString(buckets));
      }
    }
    put(needed, ESTABLISHED, settings.tcpEstablished());
    put(needed, CLOSE_WAIT, settings.tcpCloseWait());
    if (settings.tcpBeLiberal()) {
      needed.put(BE_LIBERAL, "1");
    }
    if (settings.tcpFromStart()) {
      needed.put(LOOSE, "0");
    }
    put(needed, UDP, settings.udp());
    put(needed, UDP_STREAM, settings.udpStream());
    needed.keySet().retainAll(values.keySet());
    return needed;
  }

  private static void put(Map<Sysctl, String> needed, Sysctl setting, Duration time) {
    if (time.toSeconds() > 0) {
      needed.put(setting, Long.toString(time.toSeconds()));
    }
  }

  private static long number(@Nullable String text) {
    return text == null || !text.matches("[0-9]{1,18}") ? 0 : Long.parseLong(text);
  }

  private static Sysctl of(String name) {
    return new Sysctl("net/netfilter/nf_conntrack_" + name);
  }
}
