package dev.sund.cli;

import dev.sund.agent.local.AttachServer;
import dev.sund.lab.Lab;
import dev.sund.lab.control.ControlClient;
import dev.sund.lab.topology.LabHome;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What commands to a lab that stands have in common. */
final class LabTalk {
  @Option(
      names = "--lab",
      paramLabel = "ID",
      description = "Which lab, when several stand: the process id it was started as.")
  @Nullable String id;

  /** The agents that run in the lab, by their nodes. */
  List<DropsView.Source> agents() throws IOException {
    List<DropsView.Source> agents = new ArrayList<>();
    try (Stream<Path> nodes = Files.list(home().directory())) {
      for (Path node : nodes.sorted().toList()) {
        AgentTalk talk = new AgentTalk();
        talk.runDir = node.resolve("run");
        if (Files.exists(talk.runDir.resolve(AttachServer.SOCKET_NAME))) {
          agents.add(new DropsView.Source(String.valueOf(node.getFileName()), talk));
        }
      }
    }
    if (agents.isEmpty()) {
      throw CommandFailure.couldNotRun(
          "No agent of the lab runs.", "Look at sund lab status; wait until it has started.");
    }
    return agents;
  }

  private LabHome home() throws IOException {
    Optional<LabHome> home = Lab.standing(Optional.ofNullable(id));
    if (home.isEmpty()) {
      throw CommandFailure.couldNotRun(
          id == null ? "No lab stands." : "No lab " + id + " stands.",
          "Start one in another terminal: sudo ./sund lab.");
    }
    return home.get();
  }

  /** Gives the words to the lab, prints what it says, and returns its exit code. */
  int say(List<String> words) {
    return say(words, System.out);
  }

  /** As above; what the lab says goes elsewhere. */
  int say(List<String> words, OutputStream out) {
    try {
      return ControlClient.run(home().controlSocket(), words, out);
    } catch (IOException e) {
      throw CommandFailure.couldNotRun(
          "The lab does not answer: " + e.getMessage() + ".",
          "It may still be starting: wait until it has printed its matrix.");
    }
  }
}
