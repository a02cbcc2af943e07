package dev.sund.cli;

import dev.sund.doctor.Host;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.probe.Answerer;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund answer}: the other side of {@code sund doctor --probe}. */
@Command(
    name = "answer",
    header = "Answer the probe of another node: sund doctor --probe THIS-NODE.",
    description = {
      "",
      "Listens on one UDP port, and for test packets by a packet socket; needs no agent and no"
          + " cluster, changes nothing. Answers only what carries a session's random keys, and sends"
          + " no more bytes than it was sent, to nobody but the prober. Needs root (CAP_NET_RAW).",
      "",
      "Ends by Ctrl-C, or after --for."
    },
    footer = {
      "  sudo sund answer                     then, on the other node: sudo sund doctor --probe PEER",
      "  sudo sund answer --for 10m",
      "  sudo sund answer --listen 10.0.0.2 --port 4000",
      "  sudo sund answer --pod-source 10.244.2.7   an address of this node's pods, if there is none"
    })
public final class AnswerCommand implements Callable<Integer> {
  @Option(
      names = "--listen",
      paramLabel = "ADDRESS",
      description = "Listen at this address of the node alone (default: all, IPv4 and IPv6).")
  @Nullable String listen;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "" + Answerer.PORT,
      description = "The UDP port (default: ${DEFAULT-VALUE}).")
  int port = Answerer.PORT;

  @Option(
      names = "--for",
      paramLabel = "TIME",
      description = "End after this time, such as 90s or 10m (default: run until Ctrl-C).")
  @Nullable String length;

  @Mixin PodSourceOption podSource = new PodSourceOption();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws KernelException {
    PrintWriter out = spec.commandLine().getOut();
    ProbeOptions.refuseUnlessPort("--port", port);
    OptionalLong nanos =
        length == null
            ? OptionalLong.empty()
            : OptionalLong.of(CaptureCommand.duration("--for", length).toNanos());
    Answerer answerer = open(out);
    try (CtrlC _ = new CtrlC("answer", answerer::stop, ExitCode.OK);
        answerer) {
      int probes = answerer.run(nanos);
      say(out, probes + (probes == 1 ? " probe" : " probes") + " answered");
    }
    return ExitCode.OK;
  }

  private Answerer open(PrintWriter out) throws KernelException {
    List<Endpoint> endpoints = endpoints();
    Path root = Path.of("/");
    Host host = new Host(root, Duration.ZERO, Thread::sleep, LiveFacts.of(root));
    List<Ip> pods = podSource.of(host);
    Answerer answerer;
    try {
      answerer =
          Answerer.open(
              NetNs.ofProcess(), endpoints, pods, new SecureRandom(), line -> say(out, line));
    } catch (KernelException.NotFound e) {
      throw CommandFailure.badInput(
          "--listen " + listen + " is no address of this node.",
          "ip -brief address shows which it has.");
    } catch (KernelException.Refused e) {
      if (e.errno() != Errno.EADDRINUSE.number()) {
        throw e;
      }
      throw CommandFailure.couldNotRun(
          "UDP port " + port + " is somebody else's here: " + e.getMessage() + ".",
          "Give another by --port, and the same to sund doctor --probe-port.");
    }
    List<String> names = endpoints.stream().map(Endpoint::toString).toList();
    say(
        out,
        "answering at UDP "
            + String.join(" and ", names)
            + (pods.isEmpty()
                ? ""
                : "; pods' packets as from "
                    + String.join(", ", pods.stream().map(Ip::toString).toList()))
            + "; Ctrl-C ends");
    return answerer;
  }

  private List<Endpoint> endpoints() {
    if (listen != null) {
      return List.of(new Endpoint(ProbeOptions.literal("--listen", listen), port));
    }
    List<Endpoint> all = new ArrayList<>();
    for (Family family : Family.values()) {
      all.add(Endpoint.any(family, port));
    }
    return all;
  }

  private static void say(PrintWriter out, String line) {
    out.println(line);
    out.flush();
  }
}
