// SPDX-License-Identifier: GPL-2.0-or-later
// client.js PROTO SOCKET - calls of the Container Runtime Interface, one a line on
// standard input: METHOD and the request as JSON. One line each comes back:
// "ok RESPONSE" or "error MESSAGE".
'use strict';

const readline = require('readline');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [proto, socket] = process.argv.slice(2);
const api = grpc.loadPackageDefinition(loader.loadSync(proto, {
	keepCase: true, longs: String, enums: String, bytes: String, defaults: true,
})).runtime.v1;
const services = [api.RuntimeService, api.ImageService].map(
	(Service) => new Service(`unix:${socket}`, grpc.credentials.createInsecure()));

function call(line) {
	const blank = line.indexOf(' ');
	const method = blank < 0 ? line : line.slice(0, blank);
	const service = services.find((each) => typeof each[method] === 'function');

	if (!service)
		return Promise.resolve(`error no such method, "${method}"`);
	return new Promise((resolve) => {
		const deadline = Date.now() + 120000;

		service[method](JSON.parse(blank < 0 ? '{}' : line.slice(blank + 1)), { deadline },
			(error, response) => resolve(error ? `error ${error.details || error.message}`
				: `ok ${JSON.stringify(response)}`));
	});
}

(async () => {
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const answer = await call(line).catch((error) => `error ${error.message}`);
		process.stdout.write(`${answer.replaceAll('\n', ' ')}\n`);
	}
	process.exit(0);
})();
