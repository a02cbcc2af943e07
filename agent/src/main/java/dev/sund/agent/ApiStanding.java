package dev.sund.agent;

import dev.sund.agent.log.Log;
import dev.sund.kube.api.ApiServer;
import dev.sund.model.Condition;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Whether the API server can be reached, and since when that is so. For any thread. */
final class ApiStanding {
  private final ApiServer server;
  private final InstantSource clock;
  private final Log log;
  private final AtomicReference<Optional<Known>> known = new AtomicReference<>(Optional.empty());

  private record Known(String since, Optional<Condition> problem) {}

  ApiStanding(ApiServer server, InstantSource clock, Log log) {
    this.server = server;
    this.clock = clock;
    this.log = log;
  }

  /** It has given all that is followed, for the first time. */
  void answered() {
    known.compareAndSet(Optional.empty(), Optional.of(new Known(now(), Optional.empty())));
  }

  /** It was lost, for this reason, or it answers again. Calls do not overlap. */
  void told(Optional<Condition> problem) {
    Optional<Known> before = known.get();
    boolean same = before.isPresent() && before.get().problem().isPresent() == problem.isPresent();
    known.set(Optional.of(new Known(same ? before.get().since() : now(), problem)));
    problem.ifPresentOrElse(
        condition ->
            log.warn("the API server is lost; the kernel stays as it is", "what", condition.text()),
        () -> log.info("the API server answers"));
  }

  private String now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** Why it cannot be reached; empty while it answers or has not been asked yet. */
  Optional<Condition> problem() {
    return known.get().flatMap(Known::problem);
  }

  /** The server asked first now, {@code reachable}, {@code since} and {@code problem}. */
  Map<String, Object> report() {
    Map<String, Object> report = new LinkedHashMap<>();
    Optional<Known> now = known.get();
    report.put("server", server.endpoints().getFirst().toString());
    report.put("reachable", now.isPresent() && now.get().problem().isEmpty());
    report.put("since", now.map(Known::since).orElse(""));
    report.put("problem", now.flatMap(Known::problem).map(Condition::text).orElse(""));
    return report;
  }
}
