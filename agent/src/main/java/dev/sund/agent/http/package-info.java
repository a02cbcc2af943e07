/**
 * What an operator and a scraper ask over HTTP: {@code /healthz}, {@code /readyz}, {@code
 * /metrics}; on localhost unless told otherwise, and nothing that changes anything.
 */
package dev.sund.agent.http;
