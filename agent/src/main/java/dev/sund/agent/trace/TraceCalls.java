package dev.sund.agent.trace;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.local.Answer;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.LastWords;
import dev.sund.engine.ProgramCompiler;
import dev.sund.model.NodeName;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/** Answers {@code sund trace}. Any thread. */
public final class TraceCalls {
  private static final String FORM = "1.0.0";
  private static final int INVALID = 4;
  private static final int NOT_NOW = 11;

  /** The engine's thread answers between two batches. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final NodeName node;
  private final FabricSettings fabric;
  private final ApplyLoop loop;

  /**
   * For this agent.
   *
   * @param fabric what it has been told of the fabric
   * @param loop whose engine knows the cluster
   */
  public TraceCalls(NodeName node, FabricSettings fabric, ApplyLoop loop) {
    this.node = node;
    this.fabric = fabric;
    this.loop = loop;
  }

  /** The answer; errors are answers too. */
  public Answer answer(Map<String, Object> request) throws InterruptedException {
    return switch (String.valueOf(request.get("verb"))) {
      case "known" -> known();
      default ->
          Answer.error(
              FORM,
              INVALID,
              "verb '" + request.get("verb") + "' is not known.",
              "Use a sund of the agent's version.");
    };
  }

  private Answer known() throws InterruptedException {
    if (!loop.state().hold().isEmpty()) {
      return Answer.error(
          FORM,
          NOT_NOW,
          "The agent does not know the cluster yet: " + loop.state().hold().get(),
          "Look at sund status, or trace on files (-f).");
    }
    try {
      LastWords words = loop.ask(ProgramCompiler::lastWords, PATIENCE);
      return Answer.success(new KnownCluster(node, fabric, words).fields());
    } catch (TimeoutException _) {
      return Answer.error(FORM, NOT_NOW, "The engine did not answer in time.", "Ask again.");
    }
  }
}
