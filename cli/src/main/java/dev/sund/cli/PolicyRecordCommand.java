package dev.sund.cli;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.engine.policy.seen.Recorded;
import dev.sund.engine.policy.seen.SeenFlow;
import dev.sund.kube.policy.SeenFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund policy record}: which connections the pods of this node have. */
@Command(
    name = "record",
    header = "Record which connections the pods of this node have, for sund policy suggest.",
    description = {
      "",
      "Asks the agent of this node. Once started it records until it is stopped, over restarts of the"
          + " agent and of the machine too, and keeps what it has seen by workload: pods that are"
          + " made again join those of before. It costs the node a message of the kernel for each"
          + " new connection; nothing is recorded until you ask for it.",
      "",
      "What show -o json prints is read by --seen of sund policy suggest and sund whatif; take one"
          + " of each node and give them all."
    },
    footer = {
      "  sudo sund policy record start",
      "  sudo sund policy record status",
      "  sudo sund policy record show -n shop",
      "  sudo sund policy record show -o json > $(hostname).json",
      "  sudo sund policy record stop",
      "  sudo sund policy record clear"
    })
public final class PolicyRecordCommand implements Callable<Integer> {
  /** What is to be done. */
  enum Verb {
    START,
    STOP,
    STATUS,
    SHOW,
    CLEAR
  }

  @Parameters(
      index = "0",
      paramLabel = "VERB",
      description =
          "start: begin, or go on; stop: end, and keep what there is; status: since when, how much,"
              + " and what was not seen; show: the connections; clear: forget them.")
  Verb verb = Verb.STATUS;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      defaultValue = "",
      description = "With show and without -o json: connections of this namespace's pods alone.")
  String namespace = "";

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Answer answer = SeenSource.ask(agent, verb.name().toLowerCase(Locale.ROOT));
    if (output.json()) {
      out.println(answer.json());
    } else if (verb == Verb.SHOW) {
      show(out, SeenFile.parse(answer.json()));
    } else {
      status(out, answer);
    }
    out.flush();
    return ExitCode.OK;
  }

  private static void status(PrintWriter out, Answer answer) throws IOException {
    Map<String, Object> fields;
    try {
      fields = Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
    } catch (Json.MalformedException e) {
      throw new IOException("the agent's answer is not JSON: " + e.getMessage(), e);
    }
    List<Map<String, Object>> windows = Json.children(fields, "windows");
    boolean recording = Boolean.TRUE.equals(fields.get("recording"));
    if (windows.isEmpty()) {
      out.println("nothing is recorded, and nothing was; begin with sund policy record start");
      return;
    }
    out.println(
        "%s from %s until %s: %,d kinds of connections"
            .formatted(
                recording ? "recording" : "stopped; recorded",
                Json.text(windows.getFirst(), "from"),
                recording ? "now" : Json.text(windows.getLast(), "until"),
                Json.number(fields, "flows")));
    String whole = answer.json().substring(0, answer.json().lastIndexOf('}'));
    Recorded head = SeenFile.parse(whole + ", \"connections\": []}");
    SeenSource.notSeen(List.of(head), Set.of()).forEach(line -> out.println("  not seen: " + line));
  }

  private void show(PrintWriter out, Recorded recorded) {
    for (SeenFlow flow :
        recorded.flows().stream()
            .filter(one -> namespace.isEmpty() || isOwn(one))
            .sorted(
                Comparator.comparing((SeenFlow one) -> one.from().toString())
                    .thenComparing(one -> one.to().toString())
                    .thenComparingInt(SeenFlow::port))
            .toList()) {
      out.println(
          "%s -> %s  %s%s%s  (%,d %s, last %s)"
              .formatted(
                  flow.from(),
                  flow.to(),
                  flow.protocol().label(),
                  flow.port() == 0 ? "" : " " + flow.port(),
                  flow.service().isEmpty() ? "" : " by Service " + flow.service(),
                  flow.times(),
                  flow.times() == 1 ? "time" : "times",
                  Instant.ofEpochSecond(flow.last())));
    }
  }

  private boolean isOwn(SeenFlow flow) {
    return flow.from().toString().startsWith(namespace + "{")
        || flow.to().toString().startsWith(namespace + "{");
  }
}
