package dev.sund.engine;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;

/**
 * A claim about all values that a generator makes: tried on many seeds, and on failure the message
 * names the seed, so that {@code -Dsund.seed=SEED -Dsund.runs=1} tries that one alone.
 */
public final class Property {
  private Property() {}

  /** What is claimed of a value; it throws when the claim does not hold. */
  @FunctionalInterface
  public interface Claim<T> {
    void check(T value) throws Exception;
  }

  /**
   * Tries {@code claim} on values from the seed {@code sund.seed} or one of the clock's on: on
   * {@code runs} of them when the system property {@code sund.long} is true, else on a tenth; or on
   * as many as {@code sund.runs} says.
   */
  public static <T> void forAll(int runs, Function<Random, T> generator, Claim<? super T> claim) {
    forAll(runs, generator, _ -> List.of(), claim);
  }

  /**
   * As the other, and on failure looks for a smaller value that fails too.
   *
   * @param smaller values a little smaller than a given one
   */
  public static <T> void forAll(
      int runs,
      Function<Random, T> generator,
      Function<T, List<T>> smaller,
      Claim<? super T> claim) {
    long first = Long.getLong("sund.seed", System.nanoTime());
    int usual = Boolean.getBoolean("sund.long") ? runs : Math.max(1, runs / 10);
    int count = Integer.getInteger("sund.runs", usual);
    for (long seed = first; seed < first + count; seed++) {
      T value = generator.apply(new Random(seed));
      Optional<Throwable> failure = failure(value, claim);
      while (failure.isPresent()) {
        Optional<T> next = Optional.empty();
        for (T candidate : smaller.apply(value)) {
          if (failure(candidate, claim).isPresent()) {
            next = Optional.of(candidate);
            break;
          }
        }
        if (next.isEmpty()) {
          throw new AssertionError(
              "not so for seed %d (-Dsund.seed=%d -Dsund.runs=1):%n%s".formatted(seed, seed, value),
              failure.get());
        }
        value = next.get();
        failure = failure(value, claim);
      }
    }
  }

  private static <T> Optional<Throwable> failure(T value, Claim<? super T> claim) {
    try {
      claim.check(value);
      return Optional.empty();
    } catch (Exception | AssertionError e) {
      return Optional.of(e);
    }
  }
}
