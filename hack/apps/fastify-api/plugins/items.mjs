const items = [{ name: 'lamp', due: '2024-02-29' }];
const item = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 2 }, due: { type: 'string', format: 'date' }, mail: { type: 'string', format: 'email' } },
};

export default async function (app) {
  app.get('/api/items', () => items);
  app.post('/api/items', { schema: { body: item } }, (request, reply) => {
    items.push(request.body);
    return reply.code(201).send(items.at(-1));
  });
  app.get('/api/due/:lang', async (request) => {
    const { format } = await import('date-fns');
    const locales = await import('date-fns/locale');
    return format(new Date(2024, 1, 29), 'PPPP', { locale: locales[request.params.lang] });
  });
}
