package dev.sund.cli;

import dev.sund.lab.Lab;
import dev.sund.lab.control.ControlClient;
import dev.sund.lab.topology.LabHome;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What commands to a lab that stands have in common. */
final class LabTalk {
  @Option(
      names = "--lab",
      paramLabel = "ID",
      description = "Which lab, when several stand: the process id it was started as.")
  @Nullable String id;

  /** Gives the words to the lab, prints what it says, and returns its exit code. */
  int say(List<String> words) {
    return say(words, System.out);
  }

  /** As above; what the lab says goes elsewhere. */
  int say(List<String> words, OutputStream out) {
    try {
      Optional<LabHome> home = Lab.standing(Optional.ofNullable(id));
      if (home.isEmpty()) {
        throw CommandFailure.couldNotRun(
            id == null ? "No lab stands." : "No lab " + id + " stands.",
            "Start one in another terminal: sudo ./sund lab.");
      }
      return ControlClient.run(home.get().controlSocket(), words, out);
    } catch (IOException e) {
      throw CommandFailure.couldNotRun(
          "The lab does not answer: " + e.getMessage() + ".",
          "It may still be starting: wait until it has printed its matrix.");
    }
  }
}
