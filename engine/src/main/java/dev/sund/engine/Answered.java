package dev.sund.engine;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Serving;
import dev.sund.engine.program.SourceRange;
import java.util.List;
import java.util.Optional;

/**
 * All rows that one place has in a program, and what is told beside them.
 *
 * @param frontend the place
 * @param endpoints who answers, sorted by key
 * @param sources who may ask, sorted by key
 * @param serving who may keep the connections that they have; empty for other protocols than UDP
 */
record Answered(
    Frontend frontend,
    List<Endpoint> endpoints,
    List<SourceRange> sources,
    Optional<Serving> serving) {
  Answered {
    endpoints = List.copyOf(endpoints);
    sources = List.copyOf(sources);
  }
}
