package dev.sund.kube.object;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What became of an object's tree.
 *
 * @param value the object, unless a problem is an error; a policy is there although it has errors,
 *     since what they are about fails closed
 * @param problems in the order in which they were found
 */
public record Parsed<T>(Optional<T> value, List<Problem> problems) {
  public Parsed {
    problems = List.copyOf(problems);
  }

  /** The same with the value changed. */
  public <R> Parsed<R> map(Function<T, R> change) {
    return new Parsed<>(value.map(change), problems);
  }
}
