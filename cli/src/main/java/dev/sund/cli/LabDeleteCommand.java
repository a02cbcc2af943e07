package dev.sund.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sund lab delete}: as kubectl delete, on a lab that stands. */
@Command(
    name = "delete",
    header = "Delete objects of a standing lab; end their pods, then measure again.",
    footer = {"  sudo ./sund lab delete -f pod.yaml"})
final class LabDeleteCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Mixin LabFiles files = new LabFiles();

  @Override
  public Integer call() {
    return files.say("delete", lab::say);
  }
}
