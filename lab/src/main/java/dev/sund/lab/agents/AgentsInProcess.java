package dev.sund.lab.agents;

import dev.sund.agent.Agent;
import dev.sund.agent.AgentException;
import dev.sund.agent.AgentOptions;
import dev.sund.agent.Watching;
import dev.sund.agent.checks.CheckOptions;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.peers.PeerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Starts agents inside the lab's own process, each in its node's network namespace. */
public final class AgentsInProcess implements AgentLauncher {
  @Override
  public Running start(Order order) throws IOException, InterruptedException {
    Files.createDirectories(order.runDirectory());
    Files.createDirectories(order.stateDirectory());
    AgentOptions options =
        new AgentOptions(
            order.kubeconfig(),
            order.node(),
            order.runDirectory(),
            order.stateDirectory(),
            AgentOptions.parseHttp(AgentOptions.DEFAULT_HTTP),
            Optional.of(order.namespace().path()),
            LogLevel.WARN,
            order.fabric());
    try {
      // The checks read files of a process, which is in another network than its agents here.
      Watching watching = new Watching(CheckOptions.OFF, PeerOptions.DEFAULT);
      return new Started(
          Agent.start(options.withBootId(order.boot()).withWatching(watching)),
          new AtomicBoolean());
    } catch (AgentException e) {
      throw new IOException(e.condition().toString(), e);
    }
  }

  @Override
  public String describe() {
    return "all agents in the lab's own process";
  }

  private record Started(Agent agent, AtomicBoolean ended) implements Running {
    @Override
    public boolean alive() {
      return !ended.get();
    }

    /** A process cannot lose one of its agents without the others: this ends it in good order. */
    @Override
    public void kill() {
      if (ended.compareAndSet(false, true)) {
        agent.close();
      }
    }

    @Override
    public void stop() {
      kill();
    }
  }
}
