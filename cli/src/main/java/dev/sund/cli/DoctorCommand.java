package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.doctor.Blind;
import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.PodConclusion;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.check.Peer;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.report.PackedTree;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sund doctor}: what is wrong with this node's network, and what mends it. */
@Command(
    name = "doctor",
    header = "Say what is wrong with this node's network, or a pod's, and what mends it.",
    description = {
      "",
      "Reads the kernel's files and changes nothing (--fsync writes a file and removes it); needs"
          + " no agent and no cluster, and works beside any network plugin and proxy. The worst"
          + " comes first. A check that cannot read what it needs says so and does not pass. Each"
          + " check has a page in docs/doctor.",
      "",
      "With POD it looks from inside that pod instead: its names, way out, MTU and whom it waits"
          + " for; a few small questions are sent to its DNS servers. With --kubeconfig or -f it"
          + " looks at the cluster's objects too, by lists alone (deploy/doctor-rbac.yaml).",
      "",
      "Ends with 1 when a finding is as bad as --fail-on says, with 3 when nothing is but a check"
          + " could not read what it needs."
    },
    footer = {
      "  sudo sund doctor",
      "  sudo sund doctor --explain conntrack-full",
      "  sudo sund doctor --only tunnel-mtu,pod-mtu -o json",
      "  sudo sund doctor --only fsync --fsync",
      "  sudo sund doctor -o json > before.json; ...; sudo sund doctor --baseline before.json",
      "  sudo sund doctor shop/web-0                    why it does not start: often DNS",
      "  sudo sund doctor shop/web-0 --ask db --ask www.example.org",
      "  sudo sund doctor --kubeconfig admin.conf       the cluster's objects too",
      "  sudo sund doctor --probe 10.0.0.2     the way to a node where sund answer runs",
      "  sund doctor --root /host       in a container that has the node's /proc and /sys there",
      "  sund doctor --root report.tar.gz    what a colleague's sund report holds"
    })
public final class DoctorCommand implements Callable<Integer> {
  /** From which severity on findings make the command end with 1. */
  enum Limit {
    ERROR,
    WARNING,
    NOTE,
    NEVER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    boolean reached(Severity severity) {
      return severity.ordinal() <= ordinal() && this != NEVER;
    }
  }

  private static final Set<String> PEERS =
      Catalogue.peer().stream().map(Check::id).collect(Collectors.toSet());

  @Option(
      names = "--only",
      paramLabel = "ID",
      split = ",",
      description = "Only these checks; several times or with commas.")
  List<String> only = new ArrayList<>();

  @Option(
      names = "--explain",
      paramLabel = "ID",
      description = "One check's whole story: what it read, what it found, why, and what to do.")
  @Nullable String explain;

  @Option(names = "--list", description = "Print the checks and run none.")
  boolean list;

  @Option(names = "--all", description = "Print what is right too, with what was read.")
  boolean all;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      defaultValue = "/",
      description =
          "Where the node's file systems are: mounted there, or recorded; or an archive of sund"
              + " report (default: /).")
  Path root = Path.of("/");

  @Option(
      names = "--baseline",
      paramLabel = "FILE",
      description = "What an earlier run printed with -o json: show what it has not.")
  @Nullable Path baseline;

  @Option(
      names = "--fail-on",
      paramLabel = "SEVERITY",
      defaultValue = "warning",
      description =
          "End with 1 from this severity on: ${COMPLETION-CANDIDATES} (default: warning).")
  Limit limit = Limit.WARNING;

  @Mixin WindowOption window = new WindowOption();

  @Mixin FsyncOption fsync = new FsyncOption();

  @Mixin DoctorTargets targets = new DoctorTargets();

  @Mixin ProbeOptions probe = new ProbeOptions();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @ParentCommand @Nullable Sund sund;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    List<Check<?>> checks = chosen();
    DoctorText text = new DoctorText(new Colours(sund != null && sund.colors()));
    if (list) {
      if (output.json()) {
        out.println(Json.write(DoctorText.list(checks)));
      } else {
        text.list(checks, out);
      }
      out.flush();
      return ExitCode.OK;
    }
    Set<String> known = known();
    Examination found;
    Optional<Peer> peer;
    try (PackedTree tree = RootArgument.open(root)) {
      Host host = host(tree.root());
      found = Examination.of(host, checks);
      peer = isPeers(checks) ? peer(host) : Optional.empty();
    }
    boolean concludes = targets.ofPod() && only.isEmpty() && explain == null;
    if (output.json()) {
      Map<String, Object> whole = DoctorText.whole(found);
      if (concludes) {
        whole.put("conclusion", PodConclusion.of(found));
      }
      peer.ifPresent(one -> whole.put("probe", PeerText.whole(one)));
      out.println(Json.write(whole));
    } else if (explain != null) {
      text.explain(found.results().getFirst(), out);
    } else {
      text.print(found, known, all, out);
      if (concludes) {
        out.println("conclusion: " + PodConclusion.of(found));
      }
      peer.ifPresent(one -> PeerText.print(one, out));
    }
    out.flush();
    return code(found, known);
  }

  private boolean isProbed() {
    return probe.asked() || Files.exists(root.resolve(Host.FACTS).resolve(Facts.PROBE));
  }

  private static boolean isPeers(List<Check<?>> checks) {
    return checks.stream().map(Check::id).anyMatch(PEERS::contains);
  }

  /** What was measured; nothing when a check has said that it was not. */
  private static Optional<Peer> peer(Host host) {
    try {
      return Optional.of(Peer.of(host));
    } catch (UnreadException _) {
      return Optional.empty();
    }
  }

  private int code(Examination found, Set<String> known) {
    boolean bad =
        found.findings().stream()
            .filter(one -> !known.contains(DoctorText.key(one)))
            .anyMatch(one -> limit.reached(one.finding().severity()));
    if (bad) {
      return ExitCode.DIFFERS;
    }
    return found.unread().isEmpty() ? ExitCode.OK : ExitCode.COULD_NOT_RUN;
  }

  private List<Check<?>> chosen() {
    List<String> ids = explain == null ? only : List.of(explain);
    List<Check<?>> checks = new ArrayList<>();
    if (ids.isEmpty()) {
      if (list) {
        return Catalogue.all();
      }
      checks.addAll(targets.checks(root));
      checks.addAll(fsync.given() ? Catalogue.disk() : List.of());
      checks.addAll(isProbed() ? Catalogue.peer() : List.of());
      return checks;
    }
    for (String id : ids) {
      checks.add(
          Catalogue.named(id)
              .orElseThrow(() ->
                  CommandFailure.badInput(
                      "There is no check " + id + ".", "sund doctor --list names them.")));
    }
    return checks;
  }

  private Host host(Path place) {
    Path whole = place.toAbsolutePath().normalize();
    return new Host(
        whole,
        window.length(),
        Thread::sleep,
        probe.on(targets.facts(fsync.with(whole, LiveFacts.of(whole)), whole), whole),
        Blind.here(whole));
  }

  /** The findings of an earlier run. */
  private Set<String> known() throws IOException {
    Set<String> keys = new TreeSet<>();
    if (baseline == null) {
      return keys;
    }
    try {
      Tree tree = JsonTrees.parse(Files.readString(baseline));
      if (tree instanceof Tree.Mapping whole
          && whole.get("findings").orElse(whole) instanceof Tree.Sequence findings) {
        for (Tree item : findings.items()) {
          if (item instanceof Tree.Mapping one) {
            keys.add(one.text("check").orElse("") + " " + one.text("object").orElse(""));
          }
        }
        return keys;
      }
      throw CommandFailure.badInput(
          baseline + " has no findings.", "Write it by sund doctor -o json.");
    } catch (MalformedException e) {
      throw CommandFailure.badInput(
          baseline + ":" + e.line() + ": " + e.getMessage() + ".",
          "Write it by sund doctor -o json.");
    }
  }
}
