package dev.sund.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sund lab apply}: as kubectl apply, on a lab that stands. */
@Command(
    name = "apply",
    header =
        "Create or change objects of a standing lab; start the pods that are new, then measure again.",
    footer = {"  sudo ./sund lab apply -f pod.yaml"})
final class LabApplyCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Mixin LabFiles files = new LabFiles();

  @Override
  public Integer call() {
    return files.say("apply", lab::say);
  }
}
