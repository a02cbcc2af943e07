package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.dataplane.Cleanup;
import dev.sund.dataplane.foreign.ProxyLeavings;
import dev.sund.dataplane.foreign.ProxyLeavings.Leaving;
import dev.sund.dataplane.foreign.ProxyLeavings.Mode;
import dev.sund.kernel.KernelException;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund takeover}: removes what kube-proxy left, once Sund's own rules stand. */
@Command(
    name = "takeover",
    header = "Remove what kube-proxy left on this node, once Sund's own rules stand.",
    description = {
      "End kube-proxy before: while it runs it writes its rules again.",
      "Established connections go on, but for those of mode ipvs (--drain). Rules of the kubelet and of others are left."
    },
    footer = {
      "  sudo sund takeover --dry-run      say what would be removed",
      "  sudo sund takeover",
      "  sudo sund takeover --drain        mode ipvs: wait first until its connections have ended"
    })
public final class TakeoverCommand implements Callable<Integer> {
  @Option(names = "--dry-run", description = "Say what would be removed; remove nothing.")
  boolean dryRun;

  @Option(
      names = "--drain",
      paramLabel = "SECONDS",
      arity = "0..1",
      fallbackValue = "300",
      description =
          "Of mode ipvs: wait so long (default: ${FALLBACK-VALUE}) until no connection is carried by"
              + " IPVS any more, say how many are left, and remove nothing while some are.")
  int drain;

  @Mixin NetnsOption place = new NetnsOption();

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, KernelException {
    List<Leaving> found = ProxyLeavings.find(place.namespace());
    if (!found.isEmpty() && !dryRun) {
      requireOwnRules(agent.ask(Map.of("command", "STATUS")).fields());
    }
    if (drain > 0 && !dryRun && !drained(found)) {
      return ExitCode.DIFFERS;
    }
    Cleanup.Report report = ProxyLeavings.remove(place.namespace(), dryRun);
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.printf(
          "{\"dryRun\":%s,\"found\":%s,\"done\":%s,\"failed\":%s}%n",
          dryRun,
          JsonText.strings(found.stream().map(Leaving::toString).toList()),
          JsonText.strings(report.done()),
          JsonText.conditions(report.failed()));
    } else {
      report.done().forEach(line -> out.println((dryRun ? "would " : "") + line));
      report.failed().forEach(failed -> out.println("failed: " + failed));
      if (found.isEmpty()) {
        out.println("nothing of kube-proxy's is here");
      }
    }
    out.flush();
    return report.failed().isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  /**
   * Waits until IPVS carries no connections: new ones go by Sund's rules, which come first. Of the
   * other modes connections go on without their rules.
   */
  private boolean drained(List<Leaving> found) throws KernelException {
    if (found.stream().noneMatch(leaving -> leaving.mode() == Mode.IPVS)) {
      return true;
    }
    PrintWriter out = spec.commandLine().getOut();
    long end = System.nanoTime() + Duration.ofSeconds(drain).toNanos();
    int said = -1;
    while (true) {
      int left = ProxyLeavings.carriedByIpvs(place.namespace());
      if (left != said && !output.json()) {
        out.println(left + " connections are carried by IPVS");
        out.flush();
        said = left;
      }
      if (left == 0) {
        return true;
      }
      if (System.nanoTime() >= end) {
        if (output.json()) {
          out.printf("{\"dryRun\":false,\"left\":%d,\"done\":[],\"failed\":[]}%n", left);
        } else {
          out.println(
              "nothing is removed: run it again when they have ended, or without --drain to end"
                  + " them");
        }
        out.flush();
        return false;
      }
      LockSupport.parkNanos(Duration.ofMillis(500).toNanos());
    }
  }

  /** Without Sund's rules nobody would answer for Services. */
  private static void requireOwnRules(Map<String, Object> status) {
    boolean ready = Boolean.TRUE.equals(status.get("ready"));
    boolean settled = status.get("pending") instanceof Number pending && pending.longValue() == 0;
    if (!ready || !settled) {
      throw CommandFailure.couldNotRun(
          "Sund's own rules do not stand yet: ready "
              + status.get("ready")
              + ", pending "
              + status.get("pending")
              + (ready ? "." : ", " + Json.write(Map.of("notReady", status.get("notReady"))) + "."),
          "Wait until 'sund status' says that the agent is ready.");
    }
  }
}
