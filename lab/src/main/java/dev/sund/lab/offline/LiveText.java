package dev.sund.lab.offline;

import dev.sund.agent.trace.Expectation.Part;
import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.dataplane.probe.ProbeFinding.Step;
import dev.sund.model.NodeName;
import dev.sund.model.Reason;
import java.util.List;
import java.util.function.Function;

/** Real packets' ways as text for people: each node's rules there, and back from the last. */
public final class LiveText {
  private LiveText() {}

  /**
   * One packet's story.
   *
   * @param command what shows on another node what this one does not see
   */
  public static String of(LiveProbe.Story story, Function<NodeName, String> command) {
    StringBuilder text = new StringBuilder();
    for (Part part : story.parts()) {
      node(text, part);
    }
    for (Part part : story.parts().reversed()) {
      if (!part.finding().back().isEmpty()) {
        text.append("  back%s%n".formatted(story.parts().size() > 1 ? " on " + part.node() : ""));
        steps(text, part.finding().back());
      }
    }
    for (NodeName other : story.unseen()) {
      text.append(
          "  not seen: what %s does with it. To see that, begin there with:%n    %s%n"
              .formatted(other, command.apply(other)));
    }
    ProbeFinding.Answer answer = story.parts().getFirst().finding().answer();
    text.append("live: ").append(answer.text());
    return text.append(verdict(story.differences(), story.between(), story.parts().size()))
        .toString();
  }

  /** What a node has seen of a packet that another one sent. */
  public static String seen(Part part, List<String> differences, boolean between) {
    StringBuilder text = new StringBuilder();
    node(text, part);
    if (!part.finding().back().isEmpty()) {
      text.append("  back\n");
      steps(text, part.finding().back());
    }
    return text.append("live: it came by ")
        .append(part.node())
        .append(verdict(differences, between, 1))
        .toString();
  }

  private static String verdict(List<String> differences, boolean between, int kernels) {
    if (differences.isEmpty()) {
      return kernels == 1
          ? "; the kernel does what the program says\n"
          : "; the kernels do what the program says\n";
    }
    if (between) {
      return "; the cluster changed meanwhile: nothing is compared, ask again\n";
    }
    return ", %s%n%s"
        .formatted(
            Reason.PROBE_DIFFERS.code(),
            String.join("", differences.stream().map(line -> "  " + line + "\n").toList()));
  }

  private static void node(StringBuilder text, Part part) {
    ProbeFinding finding = part.finding();
    boolean came = finding.answer() == ProbeFinding.Answer.ELSEWHERE;
    if (came && finding.end() instanceof ProbeFinding.NotSeen) {
      text.append("\nlive on %s: it did not come%n".formatted(part.node()));
      return;
    }
    text.append(
        "%nlive on %s: %s %s port %d -> %s port %d/%s%n"
            .formatted(
                part.node(),
                came ? "came from" : "from",
                finding.flow().source(),
                finding.flow().sourcePort(),
                finding.flow().destination(),
                finding.flow().port(),
                finding.flow().protocol().label()));
    steps(text, finding.there());
    text.append("  end   ").append(end(finding)).append('\n');
  }

  private static void steps(StringBuilder text, List<Step> steps) {
    for (Step step : steps) {
      text.append("  %-16s %s%n".formatted(step.device(), step));
    }
  }

  private static String end(ProbeFinding finding) {
    return switch (finding.end()) {
      case ProbeFinding.Dropped(var by) -> "dropped by " + by.table() + " " + by.chain();
      case ProbeFinding.Left(var device, var source, var destination, var port) ->
          "left by %s, from %s to %s port %d".formatted(device, source, destination, port);
      case ProbeFinding.TakenIn(var source, var destination, var port) ->
          "taken in by the node, from %s at %s port %d".formatted(source, destination, port);
      case ProbeFinding.Lost() -> "no rule dropped it, and it did not leave";
      case ProbeFinding.NotSeen() -> "it did not come to the node's rules";
    };
  }
}
