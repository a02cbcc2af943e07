package dev.sund.cli;

import java.util.ServiceLoader;

/** Finds the {@link CheckoutTool} of a command on the class path. */
final class CheckoutTools {
  private CheckoutTools() {}

  static CheckoutTool find(String command) {
    for (CheckoutTool tool : ServiceLoader.load(CheckoutTool.class)) {
      if (tool.command().equals(command)) {
        return tool;
      }
    }
    throw CommandFailure.couldNotRun(
        "'sund " + command + "' works in a checkout only.",
        "Clone the repository and run ./sund " + command + " there.");
  }
}
