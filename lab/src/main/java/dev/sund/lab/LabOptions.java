package dev.sund.lab;

import dev.sund.lab.agents.AgentLauncher;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntFunction;

/**
 * How a lab is to be run.
 *
 * @param files manifests: files, folders, {@code -}
 * @param nodes how many nodes to generate; empty for the files' own
 * @param once whether to measure once and end
 * @param everyPair whether to ask and print every pair
 * @param json whether the matrix is printed as JSON
 * @param colour whether lines that differ stand out
 * @param deploy the folder of the manifests that are shipped, which say what agents may do; empty:
 *     everything
 * @param agents starts the agents of a lab with this many nodes
 */
public record LabOptions(
    List<String> files,
    OptionalInt nodes,
    boolean once,
    boolean everyPair,
    boolean json,
    boolean colour,
    Optional<Path> deploy,
    IntFunction<AgentLauncher> agents) {
  /** With more nodes than this, agents share the lab's process. */
  public static final int MOST_PROCESSES = 8;

  public LabOptions {
    files = List.copyOf(files);
  }
}
