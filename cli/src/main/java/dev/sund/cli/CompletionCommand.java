package dev.sund.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund completion bash|zsh}. */
@Command(
    name = "completion",
    header = "Print a script that teaches a shell to complete sund's commands and options.",
    footer = {
      "  source <(sund completion bash)",
      "  sund completion zsh > ~/.sund-completion && echo 'source ~/.sund-completion' >> ~/.zshrc"
    })
public final class CompletionCommand implements Callable<Integer> {
  enum Shell {
    bash,
    zsh
  }

  @Parameters(paramLabel = "SHELL", description = "One of: ${COMPLETION-CANDIDATES}.")
  Shell shell = Shell.bash;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    String script = AutoComplete.bash("sund", spec.root().commandLine());
    // One script serves both: under zsh it switches bash completion on by itself.
    String text =
        switch (shell) {
          case bash, zsh -> script;
        };
    spec.commandLine().getOut().print(text);
    spec.commandLine().getOut().flush();
    return ExitCode.OK;
  }
}
