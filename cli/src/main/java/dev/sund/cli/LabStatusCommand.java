package dev.sund.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sund lab status}: the nodes, pods and faults of a lab that stands. */
@Command(
    name = "status",
    header = "Print a standing lab's nodes, pods and faults.",
    footer = {"  sudo ./sund lab status"})
final class LabStatusCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Override
  public Integer call() {
    List<String> words = new ArrayList<>(List.of("status"));

    return lab.say(words);
  }
}
