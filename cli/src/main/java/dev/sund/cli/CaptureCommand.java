package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.doctor.capture.Capture;
import dev.sund.doctor.capture.CaptureSource;
import dev.sund.doctor.capture.PacketSink;
import dev.sund.doctor.capture.PacketText;
import dev.sund.doctor.capture.PcapngFile;
import dev.sund.doctor.filter.FilterSyntaxException;
import dev.sund.doctor.filter.LinkForm;
import dev.sund.doctor.filter.PacketFilter;
import dev.sund.doctor.filter.PortNames;
import dev.sund.doctor.pods.PodNetwork;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Ip;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund capture}: packets inside a pod's network, from its node. */
@Command(
    name = "capture",
    header = "Show or record the packets inside pods' networks, from the node.",
    description = {
      "",
      "Touches neither the pod nor its image, and works on any Linux node, whatever its network"
          + " plugin; needs no agent. The filter is pcap's language (man pcap-filter) and runs in the"
          + " kernel; names of machines are not looked up. Ctrl-C ends it with the counts. Ends with"
          + " 1 when packets were dropped for want of room (--buffer)."
    },
    footer = {
      "  sudo sund capture shop/web-0",
      "  sudo sund capture shop/web-0 tcp port 80 and not host 10.0.0.1",
      "  sudo sund capture shop/web-0 --count 20 'tcp[tcpflags] & (tcp-syn|tcp-rst) != 0'",
      "  sudo sund capture shop/web-0,shop/db-0 --duration 30s -w both.pcapng port 5432",
      "  sudo sund capture 5f2c9a1b -i any -o json udp port 53",
      "  ssh node sudo sund capture shop/web-0 -w - | wireshark -k -i -"
    })
public final class CaptureCommand implements Callable<Integer> {
  private static final int LARGEST_PACKET = 262_144;
  private static final long SECOND = 1_000_000_000L;

  @Parameters(
      index = "0",
      split = ",",
      paramLabel = "POD",
      description = "Several with commas between. " + PodNetworks.DESCRIPTION)
  List<String> asked = new ArrayList<>();

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "FILTER",
      description = "Which packets, in pcap's language (default: all).")
  List<String> filter = new ArrayList<>();

  @Option(
      names = {"-i", "--device"},
      paramLabel = "DEVICE",
      split = ",",
      description = "Of these devices; any: of all (default: all that are up but lo).")
  List<String> devices = new ArrayList<>();

  @Option(
      names = {"-c", "--count"},
      paramLabel = "N",
      description = "End after this many packets.")
  @Nullable Long count;

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      description = "End after this time, such as 30s, 5m or 2h.")
  @Nullable String duration;

  @Option(
      names = {"-w", "--write"},
      paramLabel = "FILE",
      description = "Write pcapng, for Wireshark; -: to standard output.")
  @Nullable Path file;

  @Option(
      names = {"-s", "--snaplen"},
      paramLabel = "BYTES",
      defaultValue = "262144",
      description = "How much of each packet at most (default: ${DEFAULT-VALUE}).")
  int bytes = LARGEST_PACKET;

  @Option(
      names = "--buffer",
      paramLabel = "MIB",
      defaultValue = "16",
      description = "Memory for packets that wait, for each device (default: ${DEFAULT-VALUE}).")
  int buffer = 16;

  @Mixin CaptureNames names = new CaptureNames();

  @Mixin PodNetworks pods = new PodNetworks();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    check();
    PacketFilter wanted = filter();
    OptionalLong length =
        duration == null
            ? OptionalLong.empty()
            : OptionalLong.of(duration("--duration", duration).toNanos());
    List<PodNetwork> networks = asked.stream().map(pods::find).toList();
    Map<Ip, String> known = names.read(pods);
    PrintWriter err = spec.commandLine().getErr();
    try (Capture capture = new Capture()) {
      for (PodNetwork network : networks) {
        if (network.node()) {
          err.println("note: " + network.name() + " is on its node's own network.");
        }
        known.putIfAbsent(firstOf(network), network.name());
        add(capture, network, wanted);
      }
      known.remove(Ip.parse("0.0.0.0"));
      return run(capture, known, length, err);
    }
  }

  private static Ip firstOf(PodNetwork network) {
    return network.addresses().isEmpty() ? Ip.parse("0.0.0.0") : network.addresses().getFirst();
  }

  private void check() {
    limit("--count", count == null ? 1 : count, 1, Long.MAX_VALUE);
    limit("--snaplen", bytes, 14, LARGEST_PACKET);
    limit("--buffer", buffer, 1, 1_000);
  }

  private static void limit(String option, long value, long least, long most) {
    if (value < least || value > most) {
      throw CommandFailure.badInput(
          "%s %d is not from %d to %d.".formatted(option, value, least, most), "Give another.");
    }
  }

  private PacketFilter filter() {
    String text = String.join(" ", filter);
    try {
      return PacketFilter.parse(text, PortNames.ofSystem());
    } catch (FilterSyntaxException e) {
      throw CommandFailure.badInput(
          "The filter '%s' is not understood at character %d: %s."
              .formatted(text, e.position() + 1, e.getMessage()),
          "See man pcap-filter, or docs/capture.md for what is known.");
    }
  }

  private void add(Capture capture, PodNetwork network, PacketFilter wanted)
      throws KernelException {
    NetNs namespace = NetNs.at(network.namespace());
    List<Link> links;
    try (RouteSocket socket = RouteSocket.open(namespace)) {
      links = socket.links();
    }
    List<Link> chosen = new ArrayList<>();
    boolean any = devices.contains("any");
    for (Link link : links) {
      boolean named = devices.contains(link.name());
      boolean meant = devices.isEmpty() ? !link.name().equals("lo") : any || named;
      if (meant && (link.isUp() || named)) {
        chosen.add(link);
      }
    }
    if (chosen.isEmpty()) {
      List<String> there = links.stream().map(Link::name).toList();
      throw CommandFailure.badInput(
          "%s has no device %s that is up; it has %s."
              .formatted(
                  network.name(),
                  devices.isEmpty() ? "but lo" : String.join(" or ", devices),
                  String.join(", ", there)),
          "Name one by -i, or take -i any.");
    }
    for (Link link : chosen) {
      LinkForm form = link.mac().isPresent() ? LinkForm.ETHERNET : LinkForm.IP;
      CaptureSource source =
          new CaptureSource(
              network.name(), link.name(), form, network.addresses(), comment(network, link));
      try {
        capture.add(source, namespace, link.index(), wanted, bytes, (long) buffer << 20);
      } catch (FilterSyntaxException e) {
        throw new IllegalStateException("it was understood a moment ago", e);
      }
    }
  }

  private static String comment(PodNetwork network, Link link) {
    List<String> addresses = network.addresses().stream().map(Ip::toString).toList();
    return "pod %s, device %s (MTU %d), addresses %s, container %s, network namespace %s"
        .formatted(
            network.name(),
            link.name(),
            link.mtu(),
            addresses.isEmpty() ? "unknown" : String.join(" ", addresses),
            network.container().isEmpty() ? "unknown" : network.container(),
            network.namespace());
  }

  private int run(Capture capture, Map<Ip, String> known, OptionalLong length, PrintWriter err)
      throws IOException {
    try (CtrlC end = new CtrlC("capture", capture::stop, ExitCode.COULD_NOT_RUN);
        PacketSink sink = sink(capture, known)) {
      say(capture, err);
      long begin = now();
      OptionalLong last = length.isEmpty() ? length : OptionalLong.of(begin + length.getAsLong());
      Capture.Summary summary =
          capture.run(
              sink,
              count == null ? OptionalLong.empty() : OptionalLong.of(count),
              last,
              CaptureCommand::now);
      int code = summary.dropped() == 0 ? ExitCode.OK : ExitCode.DIFFERS;
      end.code(code);
      tell(summary, now() - begin, err);
      return code;
    }
  }

  private PacketSink sink(Capture capture, Map<Ip, String> known) throws IOException {
    if (file != null) {
      return new PcapngFile(
          channel(file),
          capture.sources(),
          String.join(" ", filter),
          bytes,
          "sund " + Version.text(),
          known);
    }
    PrintWriter out = spec.commandLine().getOut();
    return output.json()
        ? new PacketJson(out, capture.sources(), known)
        : new PacketText(out, capture.sources(), known, ZoneId.systemDefault());
  }

  /** What is in packets is nobody else's business: a new file is for its owner only. */
  private static WritableByteChannel channel(Path file) throws IOException {
    return file.toString().equals("-")
        ? new FileOutputStream(FileDescriptor.out).getChannel()
        : FileChannel.open(
            file,
            Set.of(
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
  }

  private void say(Capture capture, PrintWriter err) {
    if (!output.json()) {
      List<String> from =
          capture.sources().stream().map(one -> one.pod() + " " + one.device()).toList();
      err.println("capturing " + String.join(", ", from) + "; Ctrl-C ends");
      err.flush();
    }
  }

  private void tell(Capture.Summary summary, long nanos, PrintWriter err) {
    boolean toOutput = file == null || !file.toString().equals("-");
    if (output.json() && toOutput) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("captured", summary.taken());
      fields.put("received", summary.received());
      fields.put("dropped", summary.dropped());
      fields.put("devicesGone", summary.gone());
      fields.put("seconds", Math.round(nanos / 1e6) / 1e3);
      PrintWriter out = spec.commandLine().getOut();
      out.println(Json.write(Map.of("summary", fields)));
      out.flush();
      return;
    }
    if (summary.gone()) {
      err.println("The pods' devices are gone, so it ends.");
    }
    err.printf(
        "%,d packets captured, %,d passed the filter, %,d dropped for want of room%n",
        summary.taken(), summary.received(), summary.dropped());
    if (summary.dropped() > 0) {
      err.println("A larger --buffer, a narrower filter or a smaller --snaplen drops less.");
    }
    err.flush();
  }

  private static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * SECOND + now.getNano();
  }

  /** {@code 30s}, {@code 5m}, {@code 2h}. */
  static Duration duration(String option, String text) {
    return Optional.of(text)
        .filter(one -> one.matches("[0-9]{1,6}[smh]?"))
        .map(one -> one.matches("[0-9]+") ? one + "s" : one)
        .map(DropsView::duration)
        .orElseThrow(() ->
            CommandFailure.badInput(
                option + " " + text + " is no time.",
                "Write a number and s, m or h, such as 30s or 5m."));
  }
}
