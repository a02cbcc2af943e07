package dev.sund.cli;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund ipam}: which addresses this node has given, and which are lost. */
@Command(
    name = "ipam",
    header = "Show which addresses this node has given, find lost ones, release one.",
    footer = {
      "  sudo sund ipam show",
      "  sudo sund ipam check -o json",
      "  sudo sund ipam release 10.244.1.7"
    })
public final class IpamCommand implements Callable<Integer> {
  /** What is to be done. */
  enum Verb {
    SHOW,
    CHECK,
    RELEASE;

    String word() {
      return switch (this) {
        case SHOW -> "show";
        case CHECK -> "check";
        case RELEASE -> "release";
      };
    }
  }

  @Parameters(
      index = "0",
      paramLabel = "VERB",
      description = {
        "show: how full, and whose; check: addresses without a pod, pods without a claim;",
        "release: take back an address whose pod is no more."
      })
  Verb verb = Verb.SHOW;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "ADDRESS",
      defaultValue = "",
      description = "With release: the address.")
  String address = "";

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("command", "IPAM");
    request.put("verb", verb.word());
    request.put("address", address);
    AgentTalk.Said answered = agent.ask(request);
    Map<String, Object> said = answered.fields();
    Answer answer = answered.answer();
    if (answer.exitCode() != 0) {
      throw CommandFailure.badInput(
          String.valueOf(said.get("msg")), String.valueOf(said.get("details")));
    }
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.println(answer.json());
    } else {
      print(out, said);
    }
    out.flush();
    return verb == Verb.CHECK && !Json.children(said, "problems").isEmpty()
        ? ExitCode.DIFFERS
        : ExitCode.OK;
  }

  private void print(PrintWriter out, Map<String, Object> said) {
    switch (verb) {
      case SHOW -> {
        out.printf("%-20s %-22s %8s %8s %8s%n", "POOL", "RANGE", "USED", "COOLING", "FREE");
        for (Map<String, Object> line : Json.children(said, "ranges")) {
          Object pool = line.get("pool");
          out.printf(
              "%-20s %-22s %8s %8s %8s%n",
              "".equals(pool) ? "-" : pool,
              line.get("range"),
              line.get("used"),
              line.get("cooling"),
              line.get("free"));
        }
        out.println();
        for (Map<String, Object> line : Json.children(said, "addresses")) {
          out.printf("%-40s %s%n", line.get("address"), line.get("pod"));
        }
      }
      case CHECK -> {
        List<Map<String, Object>> problems = Json.children(said, "problems");
        for (Map<String, Object> problem : problems) {
          out.println(
              String.join(" ", Json.texts(problem, "addresses"))
                  + ": "
                  + problem.get("text")
                  + " "
                  + problem.get("remedy"));
        }
        if (problems.isEmpty()) {
          out.println("Every address in use has its pod, and every pod its address.");
        }
      }
      case RELEASE ->
          out.println("Released " + String.join(", ", Json.texts(said, "released")) + ".");
    }
  }
}
